{# The electromagnetic calorimeter: its front face is at z = 12490 mm; its active area has half sizes of
   3878.4 x 3151.2 mm, without a hole of 323.2 x 323.2 mm around the beam (LHCb's calorimeter design report). #}
{% macro in_active_area(x, y) %}
abs({{ x | sql }}) < 3878.4 AND abs({{ y | sql }}) < 3151.2 AND (abs({{ x | sql }}) > 323.2 OR abs({{ y | sql }}) > 323.2)
{% endmacro %}

{# LHCb's number of the region that a place is in: 0 outer, 1 middle, 2 inner. #}
{% macro region_at(x, y) %}
CASE
    WHEN abs({{ x | sql }}) < 969.6 AND abs({{ y | sql }}) < 727.2 THEN 2
    WHEN abs({{ x | sql }}) < 1939.2 AND abs({{ y | sql }}) < 1212.0 THEN 1
    ELSE 0
END
{% endmacro %}

{# sigma/E at an energy in GeV, as measured in Run 2: 9.6 %/sqrt(E) + 3.7 % + 0.395 GeV / E in quadrature
   (arXiv:2008.11556). #}
{% macro energy_resolution(gev) %}
sqrt(0.096 * 0.096 / {{ gev | sql }} + 0.037 * 0.037 + 0.395 * 0.395 / ({{ gev | sql }} * {{ gev | sql }}))
{% endmacro %}

{# Variance of x and of y [mm^2], as the models of plugins/lhcb_run2_calo draw them; photons of merged pi0 (type 3)
   have 0.09 of a cell in addition. #}
{% macro position_variance(region, gev, type) %}
CASE {{ region | sql }}
    WHEN 2 THEN 0.8 * 0.8 + 2.6 * 2.6 / {{ gev | sql }} + ({{ type | sql }} = 3) * 3.636 * 3.636
    WHEN 1 THEN 1.5 * 1.5 + 5.5 * 5.5 / {{ gev | sql }} + ({{ type | sql }} = 3) * 5.454 * 5.454
    ELSE 3.5 * 3.5 + 14.0 * 14.0 / {{ gev | sql }} + ({{ type | sql }} = 3) * 10.908 * 10.908
END
{% endmacro %}
