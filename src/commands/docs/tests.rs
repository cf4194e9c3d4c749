//! The argument trees that the notation gives, compared with what Redis 8.0 answers for the same commands.

use super::*;

/// A tree in short: `name="shown":type<TOKEN>@spec^since!deprecated+flags(children)`; the token only where it is not
/// that of the name.
fn shown(argument: &Argument) -> String {
    let mut text = argument.name.clone();
    if let Some(display) = argument
        .display
        .as_ref()
        .filter(|display| **display != argument.name)
    {
        text += &format!("=\"{display}\"");
    }
    text += &format!(":{}", argument.kind.name());
    let named_by_token =
        |token: &String| argument.kind == Kind::PureToken && token.to_lowercase() == argument.name;
    if let Some(token) = argument
        .token
        .as_ref()
        .filter(|token| !named_by_token(token))
    {
        text += &format!("<{token}>");
    }
    if let Some(spec) = argument.key_spec {
        text += &format!("@{spec}");
    }
    if let Some(since) = &argument.since {
        text += &format!("^{since}");
    }
    if let Some(since) = &argument.deprecated_since {
        text += &format!("!{since}");
    }
    let flags = [
        (argument.optional, "+optional"),
        (argument.multiple, "+multiple"),
        (argument.multiple_token, "+multiple_token"),
    ];
    text.extend(flags.iter().filter(|flag| flag.0).map(|flag| flag.1));
    if !argument.children.is_empty() {
        text += &format!("({})", all_shown(&argument.children));
    }
    text
}

fn all_shown(arguments: &[Argument]) -> String {
    let shown: Vec<String> = arguments.iter().map(shown).collect();
    shown.join(" ")
}

#[test]
fn the_notation_describes_the_arguments_as_redis_does() {
    const FACTS: &str = include_str!("facts.txt");
    for fact in FACTS.split("\n\n") {
        let (syntax, expected) = fact.trim().split_once('\n').expect("a fact has two lines");
        let arguments = parse(syntax).unwrap_or_else(|error| panic!("{syntax}: {error}"));
        assert_eq!(all_shown(&arguments), expected, "{syntax}");
    }
}

#[test]
fn groups_without_a_name_are_named_by_what_is_in_them() {
    let names = |syntax: &str| {
        let arguments = parse(syntax).expect("the notation is right");
        arguments
            .into_iter()
            .map(|argument| argument.name)
            .collect::<Vec<_>>()
    };
    assert_eq!(names("[NX | XX]"), ["condition"]);
    assert_eq!(names("[A | B]"), ["option"]);
    assert_eq!(names("(field value)..."), ["field-value"]);
    assert_eq!(names("host port:integer | NO ONE"), ["args"]);
}

#[test]
fn a_broken_notation_is_refused() {
    let word = |text: &str| text.to_owned();
    let table = [
        ("[a", SyntaxError::Unbalanced),
        ("a]", SyntaxError::Unbalanced),
        ("a=\"b", SyntaxError::Unbalanced),
        ("a:number", SyntaxError::UnknownType(word("a:number"))),
        ("a@b", SyntaxError::KeySpec(word("a@b"))),
        ("a |", SyntaxError::Empty),
        ("[]", SyntaxError::Empty),
        ("...", SyntaxError::Stray(word("..."))),
        ("a: b", SyntaxError::Stray(word("a"))),
        ("a?", SyntaxError::Stray(word("a?"))),
    ];
    for (syntax, error) in table {
        assert_eq!(parse(syntax), Err(error), "{syntax}");
    }
    let deep = "[".repeat(100) + "a" + &"]".repeat(100);
    assert_eq!(parse(&deep), Err(SyntaxError::TooDeep));
    assert_eq!(parse(""), Ok(Vec::new()));
}
