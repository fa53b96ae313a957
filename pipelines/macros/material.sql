{# The material before the magnet, in three slabs (detector.sql). #}
{% import 'detector.sql' as detector %}

{# Number of the slab, 0 to 2, in which something happens: drawn by the slabs' shares of the material. #}
{% macro drawn_slab(id, draw) %}
category_at({{ id | sql }}, {{ draw | sql }}, {{ detector.velo_share }}, {{ detector.rich1_share }})
{% endmacro %}

{# A position inside a slab [mm], uniform with u; the vertex detector starts at `velo_begin`. #}
{% macro place_in_slab(slab, u, velo_begin=detector.velo_begin) %}
CASE {{ slab | sql }}
    WHEN 0 THEN {{ velo_begin | sql }} + {{ u | sql }} * ({{ detector.velo_end }} - {{ velo_begin | sql }})
    WHEN 1 THEN {{ detector.rich1_begin }} + {{ u | sql }} * ({{ detector.rich1_end }} - {{ detector.rich1_begin }})
    ELSE {{ detector.tt_begin }} + {{ u | sql }} * ({{ detector.tt_end }} - {{ detector.tt_begin }})
END
{% endmacro %}

{# Fraction of a slab that a particle starting at z still has to cross, 0 to 1. #}
{% macro part_ahead(z, begin, end) %}
min(max(({{ end }} - {{ z | sql }}) / ({{ end }} - {{ begin }}), 0.0), 1.0)
{% endmacro %}

{# Probability that a photon made at z converts before the magnet: 1 - exp(-7/9 of the radiation lengths ahead). #}
{% macro conversion_probability(z) %}
1.0 - portable_exp(-7.0 / 9.0 * {{ detector.material_thickness }} * (
    {{ detector.velo_share }} * {{ part_ahead(z, detector.velo_begin, detector.velo_end) }}
    + {{ detector.rich1_share }} * {{ part_ahead(z, detector.rich1_begin, detector.rich1_end) }}
    + {{ detector.tt_share }} * {{ part_ahead(z, detector.tt_begin, detector.tt_end) }}))
{% endmacro %}
