//! Which resources and which attributes a request asks for (RFC 7644, sections 3.4.2, 3.4.3 and 3.9; SC-05).
//!
//! Owns the parameters and their limits. Never runs a search.

use http::Uri;
use lanyard_core::scim::denial::ScimDenial;
use lanyard_core::scim::search::{Condition, Search};
use lanyard_core::scim::selection::Selection;
use lanyard_protocol::scim::filter::Filter;
use lanyard_protocol::scim::schema::ResourceType;
use serde_json::{Map, Value};

/// The most resources of an answer, as `filter.maxResults` declares.
pub(super) const MAX_RESULTS: u32 = 200;
/// How many are answered when the client does not say.
const DEFAULT_COUNT: u32 = 100;

/// What a request asks for. Sorting is not served and not refused: it is declared off.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    filter: Option<String>,
    start_index: Option<i64>,
    count: Option<i64>,
    attributes: Option<String>,
    excluded: Option<String>,
}

impl Wanted {
    /// From the query of a URL. Names are read in any case; what is unknown is ignored.
    pub(super) fn of_uri(uri: &Uri) -> Result<Self, ScimDenial> {
        let mut wanted = Self::default();
        for (name, value) in url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()) {
            wanted.take(&name, value.into_owned())?;
        }
        Ok(wanted)
    }

    /// From the body of a search.
    pub(super) fn of_body(body: Value) -> Result<Self, ScimDenial> {
        let Value::Object(body) = body else {
            return Err(ScimDenial::Syntax("the body is not an object".to_owned()));
        };
        let mut wanted = Self::default();
        for (name, value) in body {
            let value = match value {
                Value::String(text) => text,
                Value::Number(number) => number.to_string(),
                Value::Array(names) => names.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(","),
                Value::Null | Value::Bool(_) | Value::Object(_) => continue,
            };
            wanted.take(&name, value)?;
        }
        Ok(wanted)
    }

    fn take(&mut self, name: &str, value: String) -> Result<(), ScimDenial> {
        let number = |value: &str| {
            let number = value.trim().parse::<i64>();
            number.map_err(|_| ScimDenial::value(name, "this is a number"))
        };
        let place = match name.to_ascii_lowercase().as_str() {
            "startindex" => {
                self.start_index = Some(number(&value)?);
                return Ok(());
            }
            "count" => {
                self.count = Some(number(&value)?);
                return Ok(());
            }
            "filter" => &mut self.filter,
            "attributes" => &mut self.attributes,
            "excludedattributes" => &mut self.excluded,
            _ => return Ok(()),
        };
        if place.is_some() {
            return Err(ScimDenial::Syntax(format!("{name} is given twice")));
        }
        *place = Some(value);
        Ok(())
    }

    /// Which attributes are shown.
    pub(super) fn selection(&self, kind: &ResourceType) -> Selection {
        Selection::read(kind, self.attributes.as_deref(), self.excluded.as_deref())
    }

    /// The search, with the filter brought to conditions by `of`.
    pub(super) fn search<T>(
        &self,
        of: fn(&Filter) -> Result<Condition<T>, ScimDenial>,
    ) -> Result<Search<T>, ScimDenial> {
        let filter = self.filter.as_deref().filter(|text| !text.trim().is_empty());
        let condition = match filter {
            None => None,
            Some(text) => {
                let filter = Filter::parse(text).map_err(|why| ScimDenial::Filter(why.to_string()))?;
                Some(of(&filter)?)
            }
        };
        // Less than one counts as one, less than none as none (RFC 7644, section 3.4.2.4).
        let count = self.count.unwrap_or(DEFAULT_COUNT.into()).clamp(0, MAX_RESULTS.into());
        Ok(Search {
            condition,
            offset: self.start() - 1,
            limit: u32::try_from(count).unwrap_or(MAX_RESULTS),
        })
    }

    /// The number of the first resource, from 1.
    pub(super) fn start(&self) -> u32 {
        let start = self.start_index.unwrap_or(1).max(1);
        u32::try_from(start).unwrap_or(u32::MAX)
    }

    /// Whether a filter was given at all.
    pub(super) const fn has_filter(&self) -> bool {
        self.filter.is_some()
    }
}

/// The resources as the selection shows them.
pub(super) fn shown(selection: &Selection, resources: Vec<Map<String, Value>>) -> Vec<Map<String, Value>> {
    resources.into_iter().map(|one| selection.apply(one)).collect()
}

#[cfg(test)]
mod tests {
    use lanyard_core::scim::search::users;

    use super::*;

    fn search(query: &str) -> Result<(u32, u32, bool), ScimDenial> {
        let uri: Uri = format!("/Users?{query}").parse().unwrap();
        let search = Wanted::of_uri(&uri)?.search(users)?;
        Ok((search.offset, search.limit, search.condition.is_some()))
    }

    #[test]
    fn pages_are_counted_from_one_and_held_to_the_limit_sc_05() {
        assert_eq!(search(""), Ok((0, 100, false)));
        assert_eq!(search("startIndex=1&count=2"), Ok((0, 2, false)));
        assert_eq!(search("STARTINDEX=0&count=0"), Ok((0, 0, false)));
        assert_eq!(search("startIndex=-5&count=-1"), Ok((0, 0, false)));
        assert_eq!(search("startIndex=201&count=1000"), Ok((200, 200, false)));
        assert_eq!(search("filter=userName%20eq%20%22a%22&sortBy=x"), Ok((0, 100, true)));
        assert!(search("startIndex=99999999999999").is_ok());
    }

    #[test]
    fn what_cannot_be_asked_is_refused_sc_17() {
        assert_eq!(search("count=many").unwrap_err().code(), "invalid_value");
        assert_eq!(search("filter=userName").unwrap_err().code(), "invalid_filter");
        assert_eq!(
            search("filter=id%20pr&filter=id%20pr").unwrap_err().code(),
            "invalid_syntax"
        );
        assert!(Wanted::of_body(Value::Null).is_err());
    }
}
