{# Codes that templates compare with, each in one place, as SQL text. For Python they are in sqlamarr/particles/codes.py.
   For compiled models, those of the calorimeter are in plugins/lhcb/codes.h. #}

{# Particles (PDG numbering scheme); antiparticles have the negative code. #}
{% set electron = '11' | sql %}
{% set muon = '13' | sql %}
{% set photon = '22' | sql %}
{% set pi0 = '111' | sql %}
{% set pion = '211' | sql %}
{% set kaon = '321' | sql %}
{% set proton = '2212' | sql %}

{# LHCb's classes of tracks (Track::Types): Tracks.type. #}
{% set long_track = '3' | sql %}
{% set upstream_track = '4' | sql %}
{% set downstream_track = '5' | sql %}

{# Interpretation of a cluster: Clusters.type. A split photon is one of the two photons of a merged pi0. #}
{% set photon_cluster = '1' | sql %}
{% set merged_cluster = '2' | sql %}
{% set split_cluster = '3' | sql %}
{% set charged_cluster = '4' | sql %}

{# Regions of the calorimeter: Clusters.region. #}
{% set outer_region = '0' | sql %}
{% set middle_region = '1' | sql %}
{% set inner_region = '2' | sql %}

{# Kinds of particles that hit the calorimeter, as inputs of the event model. #}
{% set photon_hit = '0' | sql %}
{% set electron_hit = '1' | sql %}
{% set track_hit = '2' | sql %}

{# Ids of an event's rows run from its event_id to event_id + last_row. #}
{% set rows_per_event = '1000000' | sql %}
{% set last_row = '999999' | sql %}
