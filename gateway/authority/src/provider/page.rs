//! The provider's one page.

/// Nothing is loaded, nothing runs, nobody frames it.
pub(super) const POLICY: &str = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The page with a link for each citizen.
pub(super) fn page<'a>(citizens: impl Iterator<Item = (&'a str, String)>) -> String {
    let items: Vec<String> =
        citizens.map(|(name, link)| format!("<li><a href=\"{}\">{}</a></li>", escaped(&link), escaped(name))).collect();
    format!(
        "<!doctype html><html lang=\"zh-CN\"><head><meta charset=\"utf-8\"><title>演示登录 Demo login</title></head>\
         <body><h1>演示登录 Demo login</h1><p>这里不核验身份，仅供演示。 Nobody's identity is checked here.</p>\
         <ul>{}</ul></body></html>",
        items.join("")
    )
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_text_and_nothing_else() {
        let page = page([("<script>x</script>", "/a?b=\"c\"".to_owned())].into_iter());
        assert!(!page.contains("<script>") && page.contains("&lt;script&gt;") && page.contains("b=&quot;c&quot;"));
    }
}
