//! Test support: fixed clock, seeded random, a company in memory
