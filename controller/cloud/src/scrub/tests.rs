use super::*;

#[test]
fn every_pattern_compiles() {
    assert_eq!(RULES.len(), PATTERNS.len());
}

#[test]
fn what_looks_like_a_credential_is_hidden() {
    let secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY1";
    for (text, clean) in [
        ("key AKIAIOSFODNN7EXAMPLE is gone", "key [hidden] is gone"),
        ("Credential=ASIAIOSFODNN7EXAMPLE/20261121/us-east-2", "Credential=[hidden]"),
        (&format!("secret {secret}."), "secret [hidden]."),
        ("Authorization: Basic dXNlcjpwYXNz next", "Authorization: Basic [hidden] next"),
        ("'X-Amz-Security-Token': 'short' x", "'X-Amz-Security-Token': '[hidden]' x"),
        ("aws_session_token=abc", "aws_session_token=[hidden]"),
        ("Signature=0123abcd, x", "Signature=[hidden], x"),
        ("Authorization: Bearer abc", "Authorization: Bearer [hidden]"),
    ] {
        assert_eq!(message(text), clean);
    }
}

/// What is hidden, in the ways in which builds and tools print it.
const MARK: &str = "m4rk3d-Word";

#[test]
fn the_values_that_builds_and_tools_print_are_hidden() {
    for text in [
        "fatal: unable to access 'https://me:m4rk3d-Word@git.example.com/a.git/'",
        "git clone https://m4rk3d-Word@git.example.com/a.git",
        "postgres://app:m4rk3d-Word@db.example.com:5432/app?sslmode=require",
        "redis://:m4rk3d-Word@cache:6379",
        "https://me:a@m4rk3d-Word@git.example.com",
        "https://git.example.com/a?access_token=m4rk3d-Word&x=1",
        "password=m4rk3d-Word",
        "Password: m4rk3d-Word",
        "PGPASSWORD=m4rk3d-Word psql -h db",
        "export DB_PASS='m4rk3d-Word'",
        "MYSQL_PWD=m4rk3d-Word",
        "token: m4rk3d-Word",
        "token : \"m4rk3d-Word\"",
        "authToken=m4rk3d-Word",
        "//registry.npmjs.org/:_authToken=m4rk3d-Word",
        "_auth = m4rk3d-Word",
        "echo $X | docker login -u me -p m4rk3d-Word registry.example.com",
        "docker login --username me --password m4rk3d-Word",
        "docker login --password=m4rk3d-Word -u me",
        "docker login -u me -pm4rk3d-Word",
        "mysql -u root -pm4rk3d-Word",
        "curl -u me:m4rk3d-Word https://example.com",
        "helm registry login r.example.com --username me --password m4rk3d-Word",
        "{\"password\":\"m4rk3d-Word\",\"x\":1}",
        "{\\\"client_secret\\\":\\\"m4rk3d-Word\\\"}",
        "client-secret: m4rk3d-Word",
        "api_key=m4rk3d-Word;",
        "X-Api-Key: m4rk3d-Word",
        "STRIPE_SECRET_KEY=m4rk3d-Word",
        "'secret' => 'm4rk3d-Word'",
        "pass\u{1b}[31mword=\u{1b}[0mm4rk\u{1b}[1m3d-Word",
        "pass\u{200b}word=m4rk3d\u{2060}-Word",
    ] {
        for shown in [message(text), line(text)] {
            assert!(!shown.contains(MARK) && shown.contains(HIDDEN), "{text:?} became {shown:?}");
        }
    }
}

#[test]
fn tokens_are_known_by_their_beginnings_also_where_a_terminals_colours_cut_them() {
    for token in [
        "ghp_0123456789abcdefghijklmnopqrstuvwxyz",
        "github_pat_11AAAAAAA0abcdefghijkl_mnopqrstuvwxyz",
        "ghs_0123456789abcdefghij",
        "glpat-abcDEF0123456789-_x",
        "glptt-0123456789abcdef",
        "gldt-0123456789abcdef",
        "xoxb-123456789012-abcdefghijkl",
        "xapp-1-A0123456789-0123456789012-abcdef",
        "npm_abcdefghijklmnopqrstuvwxyz0123456789",
        "pypi-AgEIcHlwaS5vcmcCJDU0",
        "dckr_pat_abcdefghijklmnopqrst",
        "AIzaSyA-0123456789abcdefghijklmnopqrstu",
        "sk_live_0123456789abcdef",
        "sk-ant-api03-abcdefghijklmnop",
        "hf_abcdefghijklmnopqrst",
        "dop_v1_0123456789abcdef",
        "hvs.CAESIAbcdefghijkl",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
        "AKIAIOSFODNN7EXAMPLE",
        "ASIAIOSFODNN7EXAMPLE",
    ] {
        assert_eq!(line(&format!("using {token} now")), "using [hidden] now");
        let (head, tail) = token.split_at(token.len() / 2);
        assert_eq!(line(&format!("using {head}\u{1b}[0;32m{tail}\u{1b}[0m now")), "using [hidden] now");
        assert_eq!(line(&format!("using {head}\u{200d}{tail} now")), "using [hidden] now");
    }
}

#[test]
fn what_names_things_stays() {
    for text in [
        "arn:aws:elasticloadbalancing:us-east-2:123456789012:targetgroup/ProdIridiumServiceGroup12345/73e2d6bc24d8a067 is gone",
        "unable to retrieve secret from asm: arn:aws:secretsmanager:eu-west-1:123456789012:secret:shop/db-AbCdEf: not found",
        "image 123456789012.dkr.ecr.us-east-2.amazonaws.com/iridium@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "commit 4b825dc642cb6eb9a060e54bf8d69288fbee4904",
        "Cannot have more than 1 builds in queue for the account",
        "The security token included in the request is invalid",
        "password authentication failed for user \"app\"",
        "see https://docs.example.com/guide?page=2#top, or mail ops@example.com",
        "docker login --username AWS --password-stdin 123456789012.dkr.ecr.us-east-2.amazonaws.com",
        "secretName: db, secretsManager is not asked",
        "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed",
        "bypass=1",
        "npm ERR! code E404",
    ] {
        assert_eq!(message(text), text);
    }
}

#[test]
fn a_long_message_ends_within_its_limit_on_a_characters_edge() {
    let cut = message(&"ü ".repeat(1000));
    assert!(cut.len() <= MESSAGE_BYTES && cut.ends_with('…'), "{cut}");
}

#[test]
fn a_line_of_a_log_that_is_very_long_ends_within_its_limit_and_hides_each_secret() {
    let shown = line(&"login curl -u ada:hunter2 ".repeat(10_000));
    assert!(shown.len() <= LINE_BYTES + '…'.len_utf8() && shown.ends_with('…'), "{}", shown.len());
    assert!(!shown.contains("hunter2"));
    assert_eq!(
        line("docker login -u ada -p hunter2 && curl --user ada:hunter2 https://a"),
        "docker login -u ada -p [hidden] && curl --user [hidden] https://a"
    );
}
