{# The electromagnetic calorimeter; its numbers are in detector.sql. #}
{% import 'codes.sql' as codes %}
{% import 'detector.sql' as detector %}

{# The point where the straight line through (x, y, z) with slopes tx, ty meets the calorimeter's face, per axis. #}
{% macro at_face(x, z, tx) %}
{{ x | sql }} + ({{ detector.ecal_z }} - {{ z | sql }}) * {{ tx | sql }}
{% endmacro %}

{# Whether a point on the face is in the active area. #}
{% macro in_active_area(x, y) %}
abs({{ x | sql }}) < {{ detector.ecal_half_x }} AND abs({{ y | sql }}) < {{ detector.ecal_half_y }}
    AND (abs({{ x | sql }}) > {{ detector.ecal_hole_half }} OR abs({{ y | sql }}) > {{ detector.ecal_hole_half }})
{% endmacro %}

{# LHCb's number of the region that contains a point. #}
{% macro region_at(x, y) %}
CASE
    WHEN abs({{ x | sql }}) < {{ detector.ecal_inner_half_x }} AND abs({{ y | sql }}) < {{ detector.ecal_inner_half_y }}
        THEN {{ codes.inner_region }}
    WHEN abs({{ x | sql }}) < {{ detector.ecal_middle_half_x }} AND abs({{ y | sql }}) < {{ detector.ecal_middle_half_y }}
        THEN {{ codes.middle_region }}
    ELSE {{ codes.outer_region }}
END
{% endmacro %}

{# sigma/E at an energy in GeV. #}
{% macro energy_resolution(gev) %}
sqrt({{ detector.ecal_sampling }} * {{ detector.ecal_sampling }} / {{ gev | sql }}
    + {{ detector.ecal_constant }} * {{ detector.ecal_constant }}
    + {{ detector.ecal_noise }} * {{ detector.ecal_noise }} / ({{ gev | sql }} * {{ gev | sql }}))
{% endmacro %}

{# Variance of x and of y [mm^2] in one region, and in the region of a cluster of some type. #}
{% macro variance_of(constant, stochastic, split, gev, type) %}
{{ constant }} * {{ constant }} + {{ stochastic }} * {{ stochastic }} / {{ gev | sql }}
    + ({{ type | sql }} = {{ codes.split_cluster }}) * {{ split }} * {{ split }}
{% endmacro %}
{% macro position_variance(region, gev, type) %}
CASE {{ region | sql }}
    WHEN {{ codes.inner_region }} THEN {{ variance_of(detector.ecal_inner_position_constant,
        detector.ecal_inner_position_stochastic, detector.ecal_inner_position_split, gev, type) }}
    WHEN {{ codes.middle_region }} THEN {{ variance_of(detector.ecal_middle_position_constant,
        detector.ecal_middle_position_stochastic, detector.ecal_middle_position_split, gev, type) }}
    ELSE {{ variance_of(detector.ecal_outer_position_constant,
        detector.ecal_outer_position_stochastic, detector.ecal_outer_position_split, gev, type) }}
END
{% endmacro %}
