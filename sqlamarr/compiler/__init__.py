"""From trained models to a shared library of plugin functions.

A *front end* reads a trained model and makes a :class:`~sqlamarr.compiler.function.Source` of it: the model as a
:class:`~sqlamarr.compiler.ir.Graph`, the original as a callable, and the range of its training. The back end
(:mod:`sqlamarr.compiler.build`) writes any number of them as one C file, compiles it, and verifies each function
against its original.

Parts: :mod:`ir` the representation, :mod:`evaluate` its meaning in numpy, :mod:`trees` tree ensembles; :mod:`emit`,
:mod:`layout`, :mod:`constants`, :mod:`library`, :mod:`information` and ``runtime/`` the C; :mod:`toolchain` the C
compiler; :mod:`verify` the comparison; :mod:`build` all of it in order.
"""

from __future__ import annotations
