//! Groups (RFC 7643, sections 4.2 and 8.7.1).

use crate::scim::schema::{Attribute, ResourceType, Schema};
use crate::scim::urn;

/// Groups.
pub static GROUPS: ResourceType = ResourceType {
    name: "Group",
    endpoint: "/Groups",
    description: "Groups of people",
    schema: &GROUP,
    extensions: &[],
};

/// A group.
pub static GROUP: Schema = Schema {
    id: urn::GROUP,
    name: "Group",
    description: "A group of people",
    attributes: &[
        Attribute::text("displayName", "The name of the group.")
            .required()
            .unique(),
        Attribute::complex(
            "members",
            "Who is in it: people of the same directory.",
            &[
                Attribute::text("value", "The id of the member.").exact().immutable(),
                Attribute::reference("$ref", "Where the member is.", &["User"]).immutable(),
                Attribute::text("type", "What the member is.")
                    .usually(&["User"])
                    .immutable(),
            ],
        )
        .several(),
    ],
};
