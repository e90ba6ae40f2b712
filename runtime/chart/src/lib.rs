//! One chart model, drawn to SVG or a canvas by plotters.
