SELECT
    mcparticle_id,
    event_id,
    type,
    x + (z_closest - z) * tx AS x,
    y + (z_closest - z) * ty AS y,
    z_closest AS z,
    tx,
    ty,
    p,
    log10_p,
    charge,
    is_e,
    is_mu,
    is_h,
    type = 3 AS is_long,
    type = 4 AS is_upstream,
    type = 5 AS is_downstream
FROM (
    SELECT i.*, c.type, z_closest_to_beam(i.x, i.y, i.z, i.tx, i.ty) AS z_closest
    FROM tmp_track_class AS c JOIN tmp_track_input AS i USING (mcparticle_id)
    LIMIT -1 {# evaluates every expression once, not once per use #}
) AS line
