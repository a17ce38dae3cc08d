//! Whole-system journeys
