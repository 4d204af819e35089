#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::future::{pending, ready};

use http::header::LOCATION;
use launchway_plan::address::{AddressRefusal, Allowed, Scheme};
use tower::service_fn;

use super::*;

fn answering(
    answer: impl Fn(Request<Bytes>) -> Result<Response<Bytes>, WebFault> + Clone + Send + Sync + 'static,
) -> Web {
    Web::over(Rules::strict(), service_fn(move |request| ready(answer(request))))
}

fn get(url: &str) -> Request<Bytes> {
    Request::get(url).body(Bytes::new()).unwrap()
}

fn redirect(status: u16, location: &str) -> Result<Response<Bytes>, WebFault> {
    Ok(Response::builder().status(status).header(LOCATION, location).body(Bytes::new()).unwrap())
}

#[tokio::test]
async fn a_redirect_to_the_same_origin_is_followed_with_the_same_credential() {
    let web = answering(|request| match request.uri().path() {
        "/old" => redirect(301, "/new"),
        _ if request.headers().contains_key("authorization") => Ok(Response::new("yes".into())),
        _ => Ok(Response::new("no".into())),
    });
    let request = Request::get("https://a.example.com/old").header("authorization", "x").body(Bytes::new()).unwrap();
    let answer = web.answer(request, Cap::VERIFY).await.unwrap();
    assert_eq!((answer.url.path(), answer.body.as_ref()), ("/new", b"yes".as_ref()));
}

#[tokio::test]
async fn a_redirect_elsewhere_is_refused_and_its_secrets_are_not_shown() {
    let elsewhere = [
        "https://b.example.com/",
        "http://a.example.com/",
        "https://a.example.com:8443/",
        "//169.254.169.254/",
        "https://u:hunter2@b.example.com/?token=hunter2",
    ];
    for location in elsewhere {
        let web = answering(move |_| redirect(302, location));
        let fault = web.answer(get("https://a.example.com/"), Cap::VERIFY).await.unwrap_err();
        assert!(matches!(fault, WebFault::Redirect(BadRedirect::Elsewhere(_))), "{location}: {fault}");
        assert!(!format!("{fault} {fault:?}").contains("hunter2"), "{fault:?}");
    }
}

#[tokio::test]
async fn of_a_foreign_origin_only_as_much_is_kept_as_a_name_has() {
    let web = answering(|_| redirect(302, &format!("https://{}.x/", "a".repeat(100_000))));
    let fault = web.answer(get("https://a.example.com/"), Cap::VERIFY).await.unwrap_err();
    assert!(fault.to_string().len() < 1_000, "{} bytes", fault.to_string().len());
}

#[tokio::test]
async fn redirects_come_to_an_end() {
    let fault =
        answering(|_| redirect(302, "/again")).answer(get("https://a.example.com/"), Cap::VERIFY).await.unwrap_err();
    assert_eq!(fault, WebFault::Redirect(BadRedirect::TooMany));
    let fault = answering(|_| Ok(Response::builder().status(302).body(Bytes::new()).unwrap()));
    let fault = fault.answer(get("https://a.example.com/"), Cap::VERIFY).await.unwrap_err();
    assert_eq!(fault, WebFault::Redirect(BadRedirect::Nowhere));
}

#[tokio::test]
async fn a_post_is_never_turned_into_a_get() {
    let web = answering(|_| redirect(302, "/new"));
    let request = Request::post("https://a.example.com/").body(Bytes::new()).unwrap();
    assert_eq!(web.answer(request, Cap::VERIFY).await.unwrap().status, 302);
}

#[tokio::test]
async fn a_body_over_the_cap_is_refused() {
    let web = answering(|_| Ok(Response::new(Bytes::from(vec![0; 1025]))));
    assert_eq!(web.answer(get("https://a.example.com/"), Cap(1024)).await.unwrap_err(), WebFault::TooLarge(1024));
    assert_eq!(web.answer(get("https://a.example.com/"), Cap(1025)).await.unwrap().body.len(), 1025);
}

#[tokio::test]
async fn a_body_that_does_not_count_may_have_any_size() {
    let web = answering(|_| Ok(Response::new(Bytes::from(vec![0; Cap::VERIFY.0 + 1]))));
    assert!(web.answer(get("https://a.example.com/"), Cap::STATUS).await.unwrap().body.is_empty());
}

#[tokio::test]
async fn a_redirect_that_is_expected_is_not_followed() {
    let web = answering(|_| redirect(302, "https://b.example.com/"));
    assert_eq!(web.unfollowed(get("https://a.example.com/"), Cap::STATUS).await.unwrap().status, 302);
    let fault = web.unfollowed(get("https://127.0.0.1/"), Cap::STATUS).await.unwrap_err();
    assert!(matches!(fault, WebFault::Refused(AddressRefusal::Address { .. })), "{fault}");
}

#[tokio::test(start_paused = true)]
async fn a_host_that_never_answers_is_given_up_after_ten_seconds() {
    let web = Web::over(Rules::strict(), service_fn(|_| pending::<Result<Response<Bytes>, WebFault>>()));
    let began = tokio::time::Instant::now();
    assert_eq!(web.answer(get("https://a.example.com/"), Cap::VERIFY).await.unwrap_err(), WebFault::Timeout);
    assert_eq!(began.elapsed(), PATIENCE);
}

#[tokio::test]
async fn a_forbidden_url_reaches_nobody() {
    let web = answering(|_| panic!("was dialled"));
    let fault = web.answer(get("https://169.254.169.254/latest/meta-data"), Cap::VERIFY).await.unwrap_err();
    assert!(matches!(fault, WebFault::Refused(AddressRefusal::Address { .. })), "{fault}");
}

#[tokio::test]
async fn a_name_that_points_to_this_machine_is_refused_unless_it_is_listed() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let rules = |host: &str| {
        let allowed = Allowed { extra_hosts: vec![host.into()], plain_http: Scheme::HttpToo };
        Rules::parse(&allowed, &[]).unwrap()
    };
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let listed = Web::guarded(rules(&format!("localhost:{port}"))).unwrap();
    let fault = listed.answer(get(&format!("http://localhost:{port}/")), Cap::VERIFY).await.unwrap_err();
    assert_eq!(fault, WebFault::Connect);

    let names = transport::exchange(Arc::new(rules("git.example.com")), None).unwrap();
    let fault = names.oneshot(get(&format!("http://localhost:{port}/"))).await.unwrap_err();
    assert!(matches!(fault, WebFault::Refused(AddressRefusal::NotPublic(_))), "{fault}");
}

#[tokio::test]
async fn where_there_is_no_room_for_another_client_one_is_dropped_and_no_more() {
    let authorities = |count: usize| Authorities::parse(CERTIFICATE.repeat(count).as_bytes()).unwrap();
    let exchange = || Exchange::new(service_fn(|_| pending::<Result<Response<Bytes>, WebFault>>()));
    let mut clients = Clients::default();
    for count in 1..=CLIENTS + 1 {
        clients.keep(&authorities(count), exchange());
    }
    assert_eq!(clients.0.len(), CLIENTS);
    assert!(clients.0.contains_key(&authorities(CLIENTS + 1)));
    // One that is kept already takes nobody's room.
    let before: std::collections::HashSet<Authorities> = clients.0.keys().cloned().collect();
    clients.keep(&authorities(CLIENTS + 1), exchange());
    assert_eq!(clients.0.keys().cloned().collect::<std::collections::HashSet<_>>(), before);
}
