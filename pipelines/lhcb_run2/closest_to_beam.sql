{% import 'codes.sql' as codes %}
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
    type = {{ codes.long_track }} AS is_long,
    type = {{ codes.upstream_track }} AS is_upstream,
    type = {{ codes.downstream_track }} AS is_downstream
FROM (
    SELECT i.*, c.type, z_closest_to_beam(i.x, i.y, i.z, i.tx, i.ty) AS z_closest
    FROM tmp_track_class AS c JOIN tmp_track_input AS i USING (mcparticle_id)
    LIMIT -1 {# evaluates every expression once, not once per use #}
) AS line
