SELECT
    mcparticle_id AS track_id,
    event_id,
    mcparticle_id,
    type,
    charge,
    x,
    y,
    z,
    tx,
    ty,
    p,
    norm2(px, py, 0.0) AS pt,
    px,
    py,
    pz,
    pseudorapidity(px, py, pz) AS eta,
    azimuthal(px, py, pz) AS phi,
    charge / p AS qop,
    chi2PerDoF * nDoF AS chi2,
    nDoF,
    chi2PerDoF,
    ghostProb,
    found.energy IS NOT NULL AS has_brem,
    coalesce(found.energy, 0.0) AS brem_energy
FROM (
    SELECT
        *,
        slopes_to_cartesian(0, p, tx, ty) AS px,
        slopes_to_cartesian(1, p, tx, ty) AS py,
        slopes_to_cartesian(2, p, tx, ty) AS pz
    FROM tmp_reconstructed
    LIMIT -1 {# evaluates every expression once, not once per use #}
) AS momentum
LEFT JOIN tmp_brem_found AS found USING (mcparticle_id)
