/* Codes that the calorimeter's models exchange with the queries of the pipelines: those of pipelines/macros/codes.sql,
 * under the same names in capitals. */
#ifndef LHCB_CODES_H
#define LHCB_CODES_H

/* What a cluster is taken for; a split photon is one of the two photons of a merged pi0. 0: no cluster. */
enum { PHOTON_CLUSTER = 1, MERGED_CLUSTER = 2, SPLIT_CLUSTER = 3, CHARGED_CLUSTER = 4 };

/* What hits the calorimeter. */
enum { PHOTON_HIT = 0, ELECTRON_HIT = 1, TRACK_HIT = 2 };

#endif
