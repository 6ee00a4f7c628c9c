//! A tower layer that protects an MCP server with verified access tokens
