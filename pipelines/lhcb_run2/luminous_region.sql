{# Move every collision to a random point in the luminous region: three Gaussians, one draw per
   collision. Its time is not changed. #}
{% import 'detector.sql' as detector %}
{% if conditions.luminous_region == 'lhcb' %}
UPDATE GenEvents SET
    x = x + {{ detector.luminous_sigma_xy }} * normal_at(genevent_id, 0),
    y = y + {{ detector.luminous_sigma_xy }} * normal_at(genevent_id, 1),
    z = z + {{ detector.luminous_sigma_z }} * normal_at(genevent_id, 2);
UPDATE GenVertices SET
    x = x + {{ detector.luminous_sigma_xy }} * normal_at(genevent_id, 0),
    y = y + {{ detector.luminous_sigma_xy }} * normal_at(genevent_id, 1),
    z = z + {{ detector.luminous_sigma_z }} * normal_at(genevent_id, 2);
{% endif %}
