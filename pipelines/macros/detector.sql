{# The numbers of LHCb's detector in Run 2, each in one place: every template and macro takes them from here. Lengths are in mm,
   momenta and energies in MeV unless a line says otherwise; z runs along the beam, from the interaction point.
   They are SQL text, so that a query holds the number itself: {{ detector.ecal_z }} is 12490.0.
   Numbers that the compiled models also need are in plugins/lhcb/detector.h, with the same value and the name in capitals. #}

{# Material before the magnet, in three slabs. The thickness of all [radiation lengths] and its shares are assumptions:
   about 20 % of LHCb's photons convert before the magnet. #}
{% set material_thickness = '0.27' | sql %}
{% set velo_share = '0.6' | sql %} {# vertex detector #}
{% set velo_begin = '0.0' | sql %}
{% set velo_end = '770.0' | sql %}
{% set rich1_share = '0.2' | sql %}
{% set rich1_begin = '990.0' | sql %}
{% set rich1_end = '2165.0' | sql %}
{% set tt_share = '0.2' | sql %}
{% set tt_begin = '2485.0' | sql %}
{% set tt_end = '2700.0' | sql %}

{# The dipole as a single kick in x: the size of the change of p_x (CERN-THESIS-2024-108, eq. 4.2), and where it
   happens, z = at + by_bend (change of slope)^2 + by_tx tx^2 + by_ty ty^2 (LHCb's PrGeometryTool). #}
{% set magnet_kick = '1230.0' | sql %}
{% set magnet_z = '5212.38' | sql %}
{% set magnet_z_by_bend = '406.609' | sql %}
{% set magnet_z_by_tx = '-1102.35' | sql %}
{% set magnet_z_by_ty = '-498.039' | sql %}

{# T stations: their end (LHCb's StateParameters), and half sizes at a z inside them (RapidSim,
   RapidAcceptanceLHCb.h). #}
{% set end_t_z = '9410.0' | sql %}
{% set t_stations_z = '8600.0' | sql %}
{% set t_stations_half_x = '3010.0' | sql %}
{% set t_stations_half_y = '2322.0' | sql %}

{# Electromagnetic calorimeter: its front face and its active area, a rectangle without a square hole around the beam;
   its regions are rectangles one inside another (LHCb's calorimeter design report). #}
{% set ecal_z = '12490.0' | sql %}
{% set ecal_half_x = '3878.4' | sql %}
{% set ecal_half_y = '3151.2' | sql %}
{% set ecal_hole_half = '323.2' | sql %}
{% set ecal_middle_half_x = '1939.2' | sql %}
{% set ecal_middle_half_y = '1212.0' | sql %}
{% set ecal_inner_half_x = '969.6' | sql %}
{% set ecal_inner_half_y = '727.2' | sql %}

{# sigma/E = sampling/sqrt(E/GeV), constant and noise [GeV] / E in quadrature, as measured in Run 2
   (arXiv:2008.11556). #}
{% set ecal_sampling = '0.096' | sql %}
{% set ecal_constant = '0.037' | sql %}
{% set ecal_noise = '0.395' | sql %}

{# sigma of x and of y, by region: constant, and stochastic/sqrt(E/GeV), in quadrature. About 1-1.5, 2-3, 5-7 mm from
   10 GeV on; the split in two is an assumption. Photons of merged pi0 have 0.09 of a cell in addition. #}
{% set ecal_inner_position_constant = '0.8' | sql %}
{% set ecal_inner_position_stochastic = '2.6' | sql %}
{% set ecal_inner_position_split = '3.636' | sql %}
{% set ecal_middle_position_constant = '1.5' | sql %}
{% set ecal_middle_position_stochastic = '5.5' | sql %}
{% set ecal_middle_position_split = '5.454' | sql %}
{% set ecal_outer_position_constant = '3.5' | sql %}
{% set ecal_outer_position_stochastic = '14.0' | sql %}
{% set ecal_outer_position_split = '10.908' | sql %}

{# Minimum transverse energy that the calorimeter detects. #}
{% set ecal_threshold = '50.0' | sql %}

{# The luminous region: widths of Gaussians around the origin (RapidSim, config/beam.dat). #}
{% set luminous_sigma_xy = '0.035' | sql %}
{% set luminous_sigma_z = '60.0' | sql %}
