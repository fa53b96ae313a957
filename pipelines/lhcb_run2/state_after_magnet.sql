{# The dipole as a single kick in x: p_x changes by -q * 1230 MeV (MagUp; +q * 1230 MeV for MagDown),
   p_y and the length of the momentum stay (CERN-THESIS-2024-108, eq. 4.2). The kick happens at
   z = 5212.38 + 406.609 (change of slope)^2 - 1102.35 tx^2 - 498.039 ty^2 mm (LHCb's PrGeometryTool).
   The state is given at the end of the T stations, z = 9410 mm (LHCb's StateParameters), for the
   classes of tracks that reach them. A track that the kick turns back, or bends out of the stations
   (|x| < 3010 mm, |y| < 2322 mm at z = 8600 mm: RapidSim, RapidAcceptanceLHCb.h), has none. #}
{% set sign = -1.0 if conditions.polarity == 'MagUp' else 1.0 %}
WITH kicked AS (
    SELECT t.*, t.px + {{ sign }} * t.charge * 1230.0 AS px_after
    FROM Tracks AS t
    WHERE t.type IN (3, 5)
),
turned AS (
    SELECT *, px_after / sqrt(px * px + pz * pz - px_after * px_after) AS tx_after,
        py / sqrt(px * px + pz * pz - px_after * px_after) AS ty_after
    FROM kicked
    WHERE px_after * px_after < px * px + pz * pz
),
placed AS (
    SELECT *,
        5212.38 + 406.609 * (tx - tx_after) * (tx - tx_after) - 1102.35 * tx * tx - 498.039 * ty * ty AS z_kick
    FROM turned
),
at_stations AS (
    SELECT *, x + (z_kick - z) * tx - z_kick * tx_after AS x_axis, y + (z_kick - z) * ty - z_kick * ty_after AS y_axis
    FROM placed
)
SELECT
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
FROM at_stations
WHERE abs(x_axis + 8600.0 * tx_after) < 3010.0 AND abs(y_axis + 8600.0 * ty_after) < 2322.0
ORDER BY track_id
