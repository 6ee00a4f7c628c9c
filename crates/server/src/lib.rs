//! HTTP for machines: OAuth endpoints, admin API, health and metrics
