{# Truth plus residuals. A model may subtract more momentum than there is, so at least 1 MeV is kept. #}
SELECT
    t.mcparticle_id,
    t.event_id,
    t.type,
    t.charge,
    t.x + r.dx AS x,
    t.y + r.dy AS y,
    t.z + r.dz AS z,
    t.tx + r.dtx AS tx,
    t.ty + r.dty AS ty,
    max(t.p + r.dp, 1.0) AS p,
    portable_log10(max(t.p + r.dp, 1.0)) AS log10_p,
    r.chi2PerDoF,
    r.nDoF,
    r.ghostProb,
    t.is_e,
    t.is_mu,
    t.is_h,
    t.is_long,
    t.is_upstream,
    t.is_downstream
FROM tmp_closest_to_beam AS t JOIN tmp_resolution AS r USING (mcparticle_id)
