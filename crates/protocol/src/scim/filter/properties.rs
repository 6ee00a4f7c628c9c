//! Whatever filter is written reads as itself (SC-03).

use proptest::prelude::*;

use super::{Check, Comparison, Element, Filter, Literal, Test};
use crate::scim::patch::PatchPath;
use crate::scim::path::AttributePath;

fn path() -> impl Strategy<Value = AttributePath> {
    let schema = prop::option::of("urn:[a-z]{1,8}:[a-z0-9.]{1,8}");
    let part = prop::option::of("[A-Za-z][A-Za-z0-9_-]{0,8}");
    (schema, "[A-Za-z][A-Za-z0-9_-]{0,8}", part).prop_map(|(schema, name, part)| AttributePath { schema, name, part })
}

fn check() -> impl Strategy<Value = Check> {
    let literal = prop_oneof![
        any::<String>().prop_map(|mut text| {
            text.truncate(text.char_indices().nth(20).map_or(text.len(), |(at, _)| at));
            Literal::Text(text)
        }),
        any::<i64>().prop_map(|number| Literal::Number(number.into())),
        any::<bool>().prop_map(Literal::Flag),
        Just(Literal::Null),
    ];
    let how = prop::sample::select(Comparison::ALL.to_vec());
    prop_oneof![
        Just(Check::Present),
        (how, literal).prop_map(|(how, literal)| Check::Compare(how, literal)),
    ]
}

fn test() -> impl Strategy<Value = Filter> {
    (path(), check()).prop_map(|(path, check)| Filter::Test(Test { path, check }))
}

/// Chains of chains of the same kind are one chain; a single filter is none.
fn joined(filters: Vec<Filter>, all: bool) -> Filter {
    let mut flat = Vec::new();
    for filter in filters {
        match filter {
            Filter::All(inner) if all => flat.extend(inner),
            Filter::Any(inner) if !all => flat.extend(inner),
            other => flat.push(other),
        }
    }
    if all { Filter::All(flat) } else { Filter::Any(flat) }
}

fn nested(leaf: BoxedStrategy<Filter>) -> BoxedStrategy<Filter> {
    leaf.prop_recursive(4, 16, 3, |inner| {
        let some = prop::collection::vec(inner.clone(), 2..4);
        prop_oneof![
            inner.prop_map(|filter| Filter::Not(Box::new(filter))),
            some.clone().prop_map(|filters| joined(filters, true)),
            some.prop_map(|filters| joined(filters, false)),
        ]
    })
    .boxed()
}

fn element() -> impl Strategy<Value = Element> {
    let then = prop::option::of(("[A-Za-z][A-Za-z0-9]{0,8}", check()));
    (path(), nested(test().boxed()), then).prop_map(|(path, filter, then)| Element {
        path,
        filter: Box::new(filter),
        then,
    })
}

fn filter() -> BoxedStrategy<Filter> {
    nested(prop_oneof![3 => test(), 1 => element().prop_map(Filter::Element)].boxed())
}

proptest! {
    #[test]
    fn a_filter_reads_as_it_was_written_sc_03(filter in filter()) {
        let text = filter.to_string();
        match Filter::parse(&text) {
            Ok(read) => prop_assert_eq!(read, filter),
            Err(error) => prop_assert!(matches!(error, super::FilterError::TooManyNodes), "{}: {}", text, error),
        }
    }

    #[test]
    fn a_patch_path_reads_as_it_was_written_sc_11(element in element(), part in prop::option::of("[a-z]{1,8}")) {
        let path = PatchPath { path: element.path, filter: Some(*element.filter), part };
        let text = path.to_string();
        match PatchPath::parse(&text) {
            Ok(read) => prop_assert_eq!(read, path),
            Err(error) => prop_assert!(matches!(error, super::FilterError::TooManyNodes), "{}: {}", text, error),
        }
    }

    #[test]
    fn no_text_breaks_the_parser_sec_22(text in any::<String>()) {
        let _ = (Filter::parse(&text), PatchPath::parse(&text));
    }
}
