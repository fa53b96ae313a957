{# Clusters start at this transverse energy [MeV]. #}
{% import 'detector.sql' as detector %}
SELECT event_id, {{ detector.ecal_threshold }} AS threshold FROM Events WHERE {{ conditions.calorimeter == 'event' }}
