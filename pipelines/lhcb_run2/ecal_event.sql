{# Clusters start at 50 MeV of transverse energy. #}
SELECT event_id, 50.0 AS threshold FROM Events WHERE {{ conditions.calorimeter == 'event' }}
