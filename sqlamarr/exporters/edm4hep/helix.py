r"""LHCb's track states (x, y, t_x, t_y, q/p at z) as EDM4hep's helix parameters, with exact error propagation.

EDM4hep describes a track at its point of closest approach to a line parallel to z through a reference point:
D0 and Z0 (where it passes), phi (direction of the transverse momentum there), tan(lambda) = p_z / p_T and
omega, the signed curvature. Where LHCb measures these, before the dipole, tracks are straight lines, so that
with :math:`t = \sqrt{t_x^2 + t_y^2}`, :math:`\cos\varphi = t_x / t`, :math:`\sin\varphi = t_y / t`

.. math::

    D_0 = (y - y_r)\cos\varphi - (x - x_r)\sin\varphi \qquad
    Z_0 = z - z_r - ((x - x_r)\cos\varphi + (y - y_r)\sin\varphi) / t \qquad
    \tan\lambda = 1 / t

The point of closest approach is (x_r - D0 sin(phi), y_r + D0 cos(phi), z_r + Z0), as in EDM4hep and LCIO
(LC-DET-2006-004). There is no solenoid whose field could turn p_T into a curvature: omega is the curvature that
the track *would have* in a field of :data:`FIELD` along z,

.. math:: \omega = 2.99792458 \cdot 10^{-4}\,B\,\frac{q}{p}\,\frac{\sqrt{1 + t^2}}{t}
          \qquad [1/\mathrm{mm}],\ B\ [\mathrm{T}],\ q/p\ [1/\mathrm{GeV}]

so that p_T = 2.99792458e-4 B / |omega| gives the momentum back, and its sign that of the charge. LHCb's dipole
field, its polarity included, does not enter.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sqlamarr.native.columns import Array

FIELD = 1.0  # T, along z: nominal, see above
CURVATURE = 2.99792458e-4 * FIELD  # GeV/mm: the speed of light in these units, times the field

PARAMETERS = ("D0", "phi", "omega", "Z0", "tanLambda")


@dataclass(frozen=True)
class States:
    """Track states, one entry each.

    :ivar x: position in the plane z [mm]; likewise y and z
    :ivar tx: dx/dz, ty: dy/dz; the track flies to positive z
    :ivar qop: charge over momentum [1/GeV]
    """

    x: Array
    y: Array
    z: Array
    tx: Array
    ty: Array
    qop: Array

    def relative(self, x: Array | float, y: Array | float, z: Array | float) -> States:
        """The same with positions relative to a reference point."""
        return States(self.x - x, self.y - y, self.z - z, self.tx, self.ty, self.qop)


def parameters(s: States) -> dict[str, Array]:
    """D0 [mm], phi [rad], omega [1/mm], Z0 [mm] and tanLambda about the origin; NaN for a track along z."""
    t, c, n = _direction(s)
    return {
        "D0": s.y * c - s.x * n,
        "phi": np.where(t > 0, np.arctan2(s.ty, s.tx), np.nan),
        "omega": CURVATURE * s.qop * np.sqrt(1 + t * t) / t,
        "Z0": s.z - (s.x * c + s.y * n) / t,
        "tanLambda": 1 / t,
    }


def jacobian(s: States) -> Array:
    """Derivatives of the five parameters by (x, y, tx, ty, q/p) at fixed z: shape (n, 5, 5)."""
    t, c, n = _direction(s)
    d0, along = s.y * c - s.x * n, s.x * c + s.y * n
    root = np.sqrt(1 + t * t)
    zero = np.zeros_like(t)
    slope = -CURVATURE * s.qop / (t * t * root)  # of omega by t
    rows = [
        [-n, c, along * n / t, -along * c / t, zero],
        [zero, zero, -n / t, c / t, zero],
        [zero, zero, slope * c, slope * n, CURVATURE * root / t],
        [-c / t, -n / t, (d0 * n + along * c) / (t * t), (along * n - d0 * c) / (t * t), zero],
        [zero, zero, -c / (t * t), -n / (t * t), zero],
    ]
    return np.moveaxis(np.array(rows, dtype=np.float64), -1, 0)


def momentum(s: States) -> Array:
    """(p_x, p_y, p_z) [GeV]: shape (n, 3)."""
    p = 1 / np.abs(s.qop)
    norm = np.sqrt(1 + s.tx**2 + s.ty**2)
    return np.stack([p * s.tx / norm, p * s.ty / norm, p / norm], axis=-1)


def momentum_jacobian(s: States, mass: Array) -> Array:
    """Derivatives of (p_x, p_y, p_z, E) by (x, y, tx, ty, q/p) for a mass [GeV]: shape (n, 4, 5)."""
    p = 1 / np.abs(s.qop)
    norm = np.sqrt(1 + s.tx**2 + s.ty**2)
    unit = np.stack([s.tx, s.ty, np.ones_like(p)]) / norm
    by_qop = -p / s.qop  # of p
    result = np.zeros((len(p), 4, 5))
    for row in range(3):
        for column, slope in ((2, s.tx), (3, s.ty)):
            own = (1.0 if row == column - 2 else 0.0) / norm
            result[:, row, column] = p * (own - unit[row] * slope / norm**2)
        result[:, row, 4] = unit[row] * by_qop
    result[:, 3, 4] = p / np.sqrt(p * p + mass * mass) * by_qop
    return result


def propagate(covariance: Array, derivatives: Array) -> Array:
    """J C J^T for every entry."""
    result: Array = np.einsum("nij,njk,nlk->nil", derivatives, covariance, derivatives)
    return result


def lower_triangle(matrices: Array) -> Array:
    """(0,0), (1,0), (1,1), (2,0) ... of every matrix, as EDM4hep stores a symmetric one: shape (n, m (m+1) / 2)."""
    rows, columns = np.tril_indices(matrices.shape[-1])
    lower: Array = matrices[:, rows, columns]
    return lower


def _direction(s: States) -> tuple[Array, Array, Array]:
    """t, cos(phi), sin(phi); NaN where the track flies along z, which leaves phi undefined."""
    t = np.hypot(s.tx, s.ty)
    t = np.where(t > 0, t, np.nan)
    return t, s.tx / t, s.ty / t
