{# The particles that may leave a track: charged, flying forward, and without end vertex before the end
   of the T stations. Electrons and muons by name, everything
   else is treated as a hadron. A particle without transverse momentum stays in the beam pipe.
   Without production vertex a particle starts where its event is. #}
{% import 'codes.sql' as codes %}
{% import 'detector.sql' as detector %}
WITH tracked AS (
    SELECT
        p.mcparticle_id,
        p.event_id,
        coalesce(v.x, (SELECT x FROM GenEvents AS g WHERE g.genevent_id = p.genevent_id), 0.0) AS x,
        coalesce(v.y, (SELECT y FROM GenEvents AS g WHERE g.genevent_id = p.genevent_id), 0.0) AS y,
        coalesce(v.z, (SELECT z FROM GenEvents AS g WHERE g.genevent_id = p.genevent_id), 0.0) AS z,
        p.px,
        p.py,
        p.pz,
        norm2(p.px, p.py, p.pz) AS p,
        p.charge,
        p.pid IN ({{ codes.electron }}, -{{ codes.electron }}) AS is_e,
        p.pid IN ({{ codes.muon }}, -{{ codes.muon }}) AS is_mu
    FROM MCParticles AS p
    LEFT JOIN MCVertices AS v ON v.mcvertex_id = p.production_vertex
    WHERE p.charge <> 0
        AND p.pz > 0
        AND (p.px <> 0 OR p.py <> 0)
        AND (p.end_vertex IS NULL OR (SELECT z FROM MCVertices WHERE mcvertex_id = p.end_vertex) > {{ detector.end_t_z }})
    LIMIT -1 {# evaluates every expression once, not once per use #}
)
SELECT
    mcparticle_id,
    event_id,
    x,
    y,
    z,
    p,
    portable_log10(p) AS log10_p,
    px / pz AS tx,
    py / pz AS ty,
    pseudorapidity(px, py, pz) AS eta,
    azimuthal(px, py, pz) AS phi,
    is_e,
    is_mu,
    NOT is_e AND NOT is_mu AS is_h,
    charge
FROM tracked
