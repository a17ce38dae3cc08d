//! A synthetic city and a demo consortium
