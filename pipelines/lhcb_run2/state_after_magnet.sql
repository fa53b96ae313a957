{# Tracks after the dipole, at the end of the T stations, for the track classes that reach them. A track that the
   kick turns back, or bends out of the stations, has no state there. #}
{% import 'codes.sql' as codes %}
{% import 'detector.sql' as detector %}
{% from 'magnet.sql' import through_magnet %}
WITH seen AS (
    SELECT track_id, event_id, mcparticle_id, x, y, z, tx, ty, px, py, pz, charge, qop
    FROM Tracks
    WHERE type IN ({{ codes.long_track }}, {{ codes.downstream_track }})
),
{{ through_magnet('seen', conditions.polarity, ['track_id', 'event_id', 'mcparticle_id', 'qop']) }}
SELECT
    2 * track_id - event_id + 1 AS trackstate_id,
    track_id,
    'EndT' AS location,
    event_id,
    mcparticle_id,
    x_axis + {{ detector.end_t_z }} * tx_after AS x,
    y_axis + {{ detector.end_t_z }} * ty_after AS y,
    {{ detector.end_t_z }} AS z,
    tx_after AS tx,
    ty_after AS ty,
    qop
FROM behind_magnet
WHERE abs(x_axis + {{ detector.t_stations_z }} * tx_after) < {{ detector.t_stations_half_x }}
    AND abs(y_axis + {{ detector.t_stations_z }} * ty_after) < {{ detector.t_stations_half_y }}
