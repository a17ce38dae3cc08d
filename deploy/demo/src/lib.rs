//! A synthetic city and a demo consortium.

pub mod city;
