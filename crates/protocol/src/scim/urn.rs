//! The names of schemas and messages (RFC 7643, section 10.3; RFC 7644, section 8.2).

/// A person.
pub const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
/// What companies know about a person.
pub const ENTERPRISE_USER: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
/// A group.
pub const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
/// What a server can do.
pub const SERVICE_PROVIDER_CONFIG: &str = "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig";
/// A sort of resource.
pub const RESOURCE_TYPE: &str = "urn:ietf:params:scim:schemas:core:2.0:ResourceType";
/// A schema.
pub const SCHEMA: &str = "urn:ietf:params:scim:schemas:core:2.0:Schema";
/// An answer with several resources.
pub const LIST_RESPONSE: &str = "urn:ietf:params:scim:api:messages:2.0:ListResponse";
/// A query in a body.
pub const SEARCH_REQUEST: &str = "urn:ietf:params:scim:api:messages:2.0:SearchRequest";
/// A change of parts.
pub const PATCH_OP: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";
/// A refusal.
pub const ERROR: &str = "urn:ietf:params:scim:api:messages:2.0:Error";
