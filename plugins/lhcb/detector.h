/* LHCb's detector in Run 2: the numbers that the models share with the queries of the pipelines.
 *
 * Each stands with the same value in pipelines/macros/detector.sql, under its name in small letters without LHCB_; that
 * file names the sources. Lengths in mm. Numbers that one model alone uses stay in that model.
 */
#ifndef LHCB_DETECTOR_H
#define LHCB_DETECTOR_H

/* Material before the magnet, in three slabs: thickness of all [radiation lengths], and its shares. */
#define LHCB_MATERIAL_THICKNESS .27
#define LHCB_VELO_SHARE .6
#define LHCB_VELO_BEGIN 0.
#define LHCB_VELO_END 770.
#define LHCB_RICH1_SHARE .2
#define LHCB_RICH1_BEGIN 990.
#define LHCB_RICH1_END 2165.
#define LHCB_TT_SHARE .2
#define LHCB_TT_BEGIN 2485.
#define LHCB_TT_END 2700.

/* Electromagnetic calorimeter: front face, active area, square hole around the beam. */
#define LHCB_ECAL_Z 12490.
#define LHCB_ECAL_HALF_X 3878.4
#define LHCB_ECAL_HALF_Y 3151.2
#define LHCB_ECAL_HOLE_HALF 323.2

/* sigma/E = sampling/sqrt(E/GeV), constant and noise [GeV] / E in quadrature. */
#define LHCB_ECAL_SAMPLING .096
#define LHCB_ECAL_CONSTANT .037
#define LHCB_ECAL_NOISE .395

/* sigma of x and of y: constant, and stochastic/sqrt(E/GeV), in quadrature. */
#define LHCB_ECAL_INNER_POSITION_CONSTANT .8
#define LHCB_ECAL_INNER_POSITION_STOCHASTIC 2.6
#define LHCB_ECAL_MIDDLE_POSITION_CONSTANT 1.5
#define LHCB_ECAL_MIDDLE_POSITION_STOCHASTIC 5.5
#define LHCB_ECAL_OUTER_POSITION_CONSTANT 3.5
#define LHCB_ECAL_OUTER_POSITION_STOCHASTIC 14.

#endif
