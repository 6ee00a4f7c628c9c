//! Users and their enterprise extension (RFC 7643, sections 4.1, 4.3 and 8.7.1).

use crate::scim::schema::{Attribute, Kind, ResourceType, Schema};
use crate::scim::urn;

/// People.
pub static USERS: ResourceType = ResourceType {
    name: "User",
    endpoint: "/Users",
    description: "People",
    schema: &USER,
    extensions: &[&ENTERPRISE_USER],
};

const WHERE: &[&str] = &["work", "home", "other"];

const PRIMARY: Attribute = Attribute::of("primary", "The preferred value; one at most.", Kind::Flag);
const DISPLAY: Attribute = Attribute::text("display", "The value for people.");

const fn typed(canonical: &'static [&'static str]) -> Attribute {
    Attribute::text("type", "What the value is used for.").usually(canonical)
}

/// A person.
pub static USER: Schema = Schema {
    id: urn::USER,
    name: "User",
    description: "A person",
    attributes: &[
        Attribute::text(
            "userName",
            "What the person types to sign in. No two people have the same.",
        )
        .required()
        .unique(),
        Attribute::complex(
            "name",
            "The parts of the name.",
            &[
                Attribute::text("formatted", "The whole name."),
                Attribute::text("familyName", "The family name."),
                Attribute::text("givenName", "The given name."),
                Attribute::text("middleName", "The middle names."),
                Attribute::text("honorificPrefix", "What precedes the name."),
                Attribute::text("honorificSuffix", "What follows the name."),
            ],
        ),
        Attribute::text("displayName", "The name that is shown."),
        Attribute::text("nickName", "How the person is called."),
        Attribute::reference("profileUrl", "A page about the person.", &["external"]),
        Attribute::text("title", "The title at work."),
        Attribute::text("userType", "How the person belongs to the organisation."),
        Attribute::text("preferredLanguage", "As in the header Accept-Language."),
        Attribute::text("locale", "For dates and numbers, as in RFC 5646."),
        Attribute::text("timezone", "A name of the IANA database."),
        Attribute::of(
            "active",
            "Whether the person may act. False ends everything at once.",
            Kind::Flag,
        ),
        Attribute::text(
            "password",
            "Accepted and thrown away: people are not given passwords from outside.",
        )
        .exact()
        .write_only(),
        Attribute::complex(
            "emails",
            "E-mail addresses.",
            &[Attribute::text("value", "The address."), DISPLAY, typed(WHERE), PRIMARY],
        )
        .several(),
        Attribute::complex(
            "phoneNumbers",
            "Telephone numbers.",
            &[
                Attribute::text("value", "The number."),
                DISPLAY,
                typed(&["work", "home", "mobile", "fax", "pager", "other"]),
                PRIMARY,
            ],
        )
        .several(),
        Attribute::complex(
            "ims",
            "Addresses for instant messages.",
            &[
                Attribute::text("value", "The address."),
                DISPLAY,
                typed(&["aim", "gtalk", "icq", "xmpp", "msn", "skype", "qq", "yahoo"]),
                PRIMARY,
            ],
        )
        .several(),
        Attribute::complex(
            "photos",
            "Pictures of the person.",
            &[
                Attribute::reference("value", "Where the picture is.", &["external"]),
                DISPLAY,
                typed(&["photo", "thumbnail"]),
                PRIMARY,
            ],
        )
        .several(),
        Attribute::complex(
            "addresses",
            "Postal addresses.",
            &[
                Attribute::text("formatted", "The whole address."),
                Attribute::text("streetAddress", "Street and number."),
                Attribute::text("locality", "City."),
                Attribute::text("region", "State or region."),
                Attribute::text("postalCode", "Postal code."),
                Attribute::text("country", "As in ISO 3166-1, two letters."),
                typed(WHERE),
                PRIMARY,
            ],
        )
        .several(),
        Attribute::complex(
            "groups",
            "The groups that the person is in. Changed at the group.",
            &[
                Attribute::text("value", "The id of the group.").read_only(),
                Attribute::reference("$ref", "Where the group is.", &["Group"]).read_only(),
                Attribute::text("display", "The name of the group.").read_only(),
                Attribute::text("type", "How the membership came to be.")
                    .usually(&["direct"])
                    .read_only(),
            ],
        )
        .several()
        .read_only(),
        Attribute::complex(
            "entitlements",
            "What the person is entitled to, elsewhere: no rule here reads it.",
            &[
                Attribute::text("value", "The entitlement."),
                DISPLAY,
                typed(&[]),
                PRIMARY,
            ],
        )
        .several(),
        Attribute::complex(
            "roles",
            "What the person is, elsewhere: no rule here reads it.",
            &[Attribute::text("value", "The role."), DISPLAY, typed(&[]), PRIMARY],
        )
        .several(),
        Attribute::complex(
            "x509Certificates",
            "Certificates of the person.",
            &[
                Attribute::of("value", "DER in base64.", Kind::Binary),
                DISPLAY,
                typed(&[]),
                PRIMARY,
            ],
        )
        .several(),
    ],
};

/// What companies know about a person.
pub static ENTERPRISE_USER: Schema = Schema {
    id: urn::ENTERPRISE_USER,
    name: "EnterpriseUser",
    description: "What companies know about a person",
    attributes: &[
        Attribute::text("employeeNumber", "The number that the organisation gave the person."),
        Attribute::text("costCenter", "The cost centre."),
        Attribute::text("organization", "The organisation."),
        Attribute::text("division", "The division."),
        Attribute::text("department", "The department."),
        Attribute::complex(
            "manager",
            "Who leads the person.",
            &[
                Attribute::text("value", "The id of the manager."),
                Attribute::reference("$ref", "Where the manager is.", &["User"]),
                Attribute::text("displayName", "The name of the manager.").read_only(),
            ],
        ),
    ],
};
