{# Tracks behind the dipole, at the end of the T stations, z = 9410 mm (LHCb's StateParameters), for the classes of
   tracks that reach them. A track that the kick turns back, or bends out of the stations (|x| < 3010 mm,
   |y| < 2322 mm at z = 8600 mm: RapidSim, RapidAcceptanceLHCb.h), has no state there. #}
{% from 'magnet.sql' import through_magnet %}
WITH seen AS (
    SELECT track_id, event_id, mcparticle_id, x, y, z, tx, ty, px, py, pz, charge, qop
    FROM Tracks
    WHERE type IN (3, 5)
),
{{ through_magnet('seen', conditions.polarity, ['track_id', 'event_id', 'mcparticle_id', 'qop']) }}
SELECT
    2 * track_id - event_id + 1 AS trackstate_id,
    track_id,
    'EndT' AS location,
    event_id,
    mcparticle_id,
    x_axis + 9410.0 * tx_after AS x,
    y_axis + 9410.0 * ty_after AS y,
    9410.0 AS z,
    tx_after AS tx,
    ty_after AS ty,
    qop
FROM behind_magnet
WHERE abs(x_axis + 8600.0 * tx_after) < 3010.0 AND abs(y_axis + 8600.0 * ty_after) < 2322.0
