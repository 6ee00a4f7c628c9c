//! A reverse proxy that protects any Streamable HTTP MCP server
