{# Every collision moves to a random place of the luminous region: Gaussians of 0.035 mm in x and y and
   60 mm in z (RapidSim, config/beam.dat), one draw per collision. Its time is left as it is. #}
{% if conditions.luminous_region == 'lhcb' %}
UPDATE GenEvents SET
    x = x + 0.035 * normal_at(genevent_id, 0),
    y = y + 0.035 * normal_at(genevent_id, 1),
    z = z + 60.0 * normal_at(genevent_id, 2);
UPDATE GenVertices SET
    x = x + 0.035 * normal_at(genevent_id, 0),
    y = y + 0.035 * normal_at(genevent_id, 1),
    z = z + 60.0 * normal_at(genevent_id, 2);
{% endif %}
