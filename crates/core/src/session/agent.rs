//! A browser in words, from its `User-Agent`: for a person's list of sessions, where it is a hint and no proof.
//!
//! Owns the few names that people know. Never decides anything by it.

/// The longest text that is looked at, in bytes.
const MAX_TEXT: usize = 1024;

/// Marks of browsers, the more particular ones first: most browsers claim to be several others.
const BROWSERS: [(&str, &str); 11] = [
    ("Edg/", "Edge"),
    ("EdgA/", "Edge"),
    ("EdgiOS/", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("HeadlessChrome/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Version/", "Safari"),
];

/// Marks of platforms, the more particular ones first.
const PLATFORMS: [(&str, &str); 8] = [
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("CrOS", "ChromeOS"),
    ("Macintosh", "macOS"),
    ("Linux", "Linux"),
    ("FreeBSD", "FreeBSD"),
];

/// The browser and the platform that a `User-Agent` names: "Firefox on Linux". `None` when it names neither.
pub fn describe(user_agent: &str) -> Option<String> {
    if user_agent.len() > MAX_TEXT {
        return None;
    }
    let named = |marks: &[(&str, &'static str)]| {
        let found = marks.iter().find(|(mark, _)| user_agent.contains(mark));
        found.map(|(_, name)| *name)
    };
    let browser = named(&BROWSERS).filter(|name| *name != "Safari" || user_agent.contains("Safari/"));
    match (browser, named(&PLATFORMS)) {
        (Some(browser), Some(platform)) => Some(format!("{browser} on {platform}")),
        (Some(browser), None) => Some(browser.to_owned()),
        (None, Some(platform)) => Some(format!("A program on {platform}")),
        (None, None) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_big_browsers_are_told_apart() {
        for (agent, words) in [
            (
                "Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0",
                "Firefox on Linux",
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 \
                 Safari/537.36 Edg/142.0.0.0",
                "Edge on Windows",
            ),
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 \
                 Safari/605.1.15",
                "Safari on macOS",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) \
                 Version/26.0 Mobile/15E148 Safari/604.1",
                "Safari on iPhone",
            ),
            (
                "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile \
                 Safari/537.36",
                "Chrome on Android",
            ),
            (
                "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/142.0.0.0 \
                 Safari/537.36",
                "Chrome on Linux",
            ),
        ] {
            assert_eq!(describe(agent).as_deref(), Some(words), "{agent}");
        }
    }

    #[test]
    fn what_names_nothing_known_or_is_endless_is_not_described() {
        assert_eq!(describe(""), None);
        assert_eq!(describe("curl/8.5.0"), None);
        assert_eq!(describe(&"Firefox/1 Linux ".repeat(200)), None);
        assert_eq!(describe("thing/1.0 (Windows)").as_deref(), Some("A program on Windows"));
    }
}
