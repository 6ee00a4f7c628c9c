//! Reading filters and PATCH paths.
//!
//! Owns the descent, one function per rule of the grammar (RFC 7644, figure 1). Never reads past a limit.

use crate::scim::filter::{
    Check, Comparison, Element, Filter, FilterError, Literal, MAX_DEPTH, MAX_LENGTH, MAX_NODES, Test,
};
use crate::scim::path::{AttributePath, is_name};

/// A text and the place up to which it is read.
pub(crate) struct Parser<'a> {
    text: &'a str,
    at: usize,
    nodes: usize,
    depth: usize,
    /// Inside `[…]`, where no further element filter may stand.
    in_element: bool,
}

impl<'a> Parser<'a> {
    /// At the beginning of a text.
    pub(crate) fn new(text: &'a str) -> Result<Self, FilterError> {
        if text.len() > MAX_LENGTH {
            return Err(FilterError::TooLong);
        }
        Ok(Self {
            text,
            at: 0,
            nodes: 0,
            depth: 0,
            in_element: false,
        })
    }

    /// Nothing but blanks is left.
    pub(crate) fn end(&mut self) -> Result<(), FilterError> {
        self.blanks();
        if self.rest().is_empty() {
            Ok(())
        } else {
            Err(self.expected("the end"))
        }
    }

    /// `a and b or c`: `and` binds stronger.
    pub(crate) fn filter(&mut self) -> Result<Filter, FilterError> {
        let first = self.conjunction()?;
        self.chain(first, "or", Self::conjunction, Filter::Any)
    }

    fn conjunction(&mut self) -> Result<Filter, FilterError> {
        let first = self.term()?;
        self.chain(first, "and", Self::term, Filter::All)
    }

    fn chain(
        &mut self,
        first: Filter,
        operator: &str,
        next: fn(&mut Self) -> Result<Filter, FilterError>,
        make: fn(Vec<Filter>) -> Filter,
    ) -> Result<Filter, FilterError> {
        if !self.keyword(operator) {
            return Ok(first);
        }
        self.node()?;
        let mut all = vec![first];
        loop {
            all.push(next(self)?);
            if !self.keyword(operator) {
                return Ok(make(all));
            }
        }
    }

    fn term(&mut self) -> Result<Filter, FilterError> {
        self.blanks();
        if self.take("(") {
            return self.within(")");
        }
        let before = self.at;
        if self.keyword("not") {
            self.blanks();
            if self.take("(") {
                self.node()?;
                return Ok(Filter::Not(Box::new(self.within(")")?)));
            }
            self.at = before;
        }
        self.test()
    }

    fn within(&mut self, end: &'static str) -> Result<Filter, FilterError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(FilterError::TooDeep);
        }
        let filter = self.filter()?;
        self.blanks();
        if !self.take(end) {
            return Err(self.expected("a closing bracket"));
        }
        self.depth -= 1;
        Ok(filter)
    }

    fn test(&mut self) -> Result<Filter, FilterError> {
        self.node()?;
        let path = self.path()?;
        if self.at_element() && !self.in_element {
            let filter = Box::new(self.element()?);
            let then = match self.part()? {
                Some(part) => Some((part, self.check()?)),
                None => None,
            };
            return Ok(Filter::Element(Element { path, filter, then }));
        }
        let check = self.check()?;
        Ok(Filter::Test(Test { path, check }))
    }

    /// An attribute path, up to a blank or a bracket.
    pub(crate) fn path(&mut self) -> Result<AttributePath, FilterError> {
        self.blanks();
        let (word, at) = (self.word(), self.at);
        let path = AttributePath::parse(word).map_err(|_| FilterError::Syntax {
            at,
            expected: "an attribute",
        })?;
        self.at += word.len();
        Ok(path)
    }

    /// Whether an element filter begins here.
    pub(crate) fn at_element(&self) -> bool {
        self.rest().starts_with('[')
    }

    /// `[…]`; asked when [`Self::at_element`].
    pub(crate) fn element(&mut self) -> Result<Filter, FilterError> {
        self.at += 1;
        self.in_element = true;
        let filter = self.within("]");
        self.in_element = false;
        filter
    }

    /// `.value` behind an element filter.
    pub(crate) fn part(&mut self) -> Result<Option<String>, FilterError> {
        if !self.take(".") {
            return Ok(None);
        }
        let word = self.word();
        if !is_name(word) {
            return Err(self.expected("the part of an attribute"));
        }
        self.at += word.len();
        Ok(Some(word.to_owned()))
    }

    fn check(&mut self) -> Result<Check, FilterError> {
        if self.keyword("pr") {
            return Ok(Check::Present);
        }
        let found = Comparison::ALL.into_iter().find(|how| self.keyword(how.as_str()));
        let Some(how) = found else {
            return Err(self.expected("an operator"));
        };
        Ok(Check::Compare(how, self.literal()?))
    }

    fn literal(&mut self) -> Result<Literal, FilterError> {
        self.blanks();
        if self.rest().starts_with('"') {
            return self.text();
        }
        let word = self.word();
        let literal = if word.eq_ignore_ascii_case("true") {
            Literal::Flag(true)
        } else if word.eq_ignore_ascii_case("false") {
            Literal::Flag(false)
        } else if word.eq_ignore_ascii_case("null") {
            Literal::Null
        } else {
            match serde_json::from_str(word) {
                Ok(number) => Literal::Number(number),
                Err(_) => return Err(self.expected("a value")),
            }
        };
        self.at += word.len();
        Ok(literal)
    }

    /// A JSON text: the quotation mark that no backslash escapes ends it.
    fn text(&mut self) -> Result<Literal, FilterError> {
        let mut escaped = false;
        let end = self.rest().char_indices().skip(1).find(|(_, c)| {
            let ends = *c == '"' && !escaped;
            escaped = *c == '\\' && !escaped;
            ends
        });
        let quoted = end.and_then(|(n, _)| self.rest().get(..=n));
        let text = quoted.and_then(|quoted| Some((serde_json::from_str(quoted).ok()?, quoted.len())));
        let Some((text, length)) = text else {
            return Err(self.expected("a text in quotation marks"));
        };
        self.at += length;
        Ok(Literal::Text(text))
    }

    /// Takes a word without regard to case; a blank, a bracket or the end follows it.
    fn keyword(&mut self, word: &str) -> bool {
        self.blanks();
        let found = self.word().eq_ignore_ascii_case(word);
        if found {
            self.at += word.len();
        }
        found
    }

    /// What stands here, up to a blank, a bracket or a quotation mark.
    fn word(&self) -> &'a str {
        let ends = |c: char| c.is_ascii_whitespace() || matches!(c, '(' | ')' | '[' | ']' | '"');
        self.rest().split(ends).next().unwrap_or_default()
    }

    fn take(&mut self, sign: &str) -> bool {
        let found = self.rest().starts_with(sign);
        if found {
            self.at += sign.len();
        }
        found
    }

    fn blanks(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_ascii_start().len();
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn node(&mut self) -> Result<(), FilterError> {
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            return Err(FilterError::TooManyNodes);
        }
        Ok(())
    }

    const fn expected(&self, expected: &'static str) -> FilterError {
        FilterError::Syntax { at: self.at, expected }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn same(text: &str, canonical: &str) {
        let filter = Filter::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(filter.to_string(), canonical, "{text}");
        assert_eq!(Filter::parse(canonical), Ok(filter), "{canonical}");
    }

    #[test]
    fn the_filters_of_the_rfc_are_read_sc_03() {
        for text in [
            r#"userName eq "bjensen""#,
            r#"name.familyName co "O'Malley""#,
            r#"urn:ietf:params:scim:schemas:core:2.0:User:userName sw "J""#,
            "title pr",
            r#"meta.lastModified gt "2011-05-13T04:42:34Z""#,
            r#"title pr and userType eq "Employee""#,
            r#"title pr or userType eq "Intern""#,
            r#"schemas eq "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User""#,
            r#"userType eq "Employee" and (emails co "example.com" or emails.value co "example.org")"#,
            r#"userType ne "Employee" and not (emails co "example.com" or emails.value co "example.org")"#,
            r#"userType eq "Employee" and emails[type eq "work" and value co "@example.com"]"#,
            r#"emails[type eq "work" and value co "@example.com"] or ims[type eq "xmpp" and value co "@foo.com"]"#,
        ] {
            same(text, text);
        }
    }

    #[test]
    fn names_and_operators_are_read_without_regard_to_case_sc_03() {
        same(
            r#"userName Eq "a" AND Not(title PR)"#,
            r#"userName eq "a" and not (title pr)"#,
        );
        same("active EQ True", "active eq true");
    }

    #[test]
    fn a_test_may_follow_an_element_filter_sc_03() {
        same(
            r#"emails[type eq "work"].value EQ "m@x""#,
            r#"emails[type eq "work"].value eq "m@x""#,
        );
    }

    #[test]
    fn and_binds_stronger_than_or() {
        same("a pr or b pr and c pr", "a pr or b pr and c pr");
        same("(a pr or b pr) and c pr", "(a pr or b pr) and c pr");
        same("a pr or (b pr and c pr)", "a pr or b pr and c pr");
    }

    #[test]
    fn a_text_may_hold_quotation_marks_and_brackets() {
        same(r#"a eq "x\"] and (y""#, r#"a eq "x\"] and (y""#);
        same(r#"a eq "back\\""#, r#"a eq "back\\""#);
        same("a eq -1.5 or b eq null", "a eq -1.5 or b eq null");
    }

    #[test]
    fn what_is_no_filter_is_refused_sc_03() {
        for bad in [
            "",
            "userName",
            "userName eq",
            "userName garbage \"x\"",
            "userName eq x",
            r#"userName eq "x"#,
            r#"userName eq "\x""#,
            r#"userName eq "x" and"#,
            r#"userName eq "x" "y""#,
            "(a pr",
            "a pr)",
            "not a pr",
            "a[b[c pr]]",
            "a[b pr",
            "a[b pr].",
            "a[b pr].c",
            r#"eq "x""#,
            "a eq [1]",
            "a eq {}",
        ] {
            assert!(Filter::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn sixty_four_nodes_are_read_and_no_more_sec_22() {
        let chain = |n: usize| vec!["a pr"; n].join(" or ");
        assert!(Filter::parse(&chain(63)).is_ok());
        assert_eq!(Filter::parse(&chain(64)), Err(FilterError::TooManyNodes));
    }

    #[test]
    fn nesting_and_length_have_an_end_sec_22() {
        let nested = |n: usize| format!("{}a pr{}", "(".repeat(n), ")".repeat(n));
        assert!(Filter::parse(&nested(16)).is_ok());
        assert_eq!(Filter::parse(&nested(17)), Err(FilterError::TooDeep));
        assert_eq!(Filter::parse(&nested(100_000)), Err(FilterError::TooLong));
    }
}
