use super::*;
use proptest::prelude::*;

/// Budgets of one account and Region, of which so much is ours.
struct Ours(Budgets, Share);

impl Ours {
    fn new(share: Share) -> Self {
        Self(Budgets::default(), share)
    }

    fn queue(&self, bucket: Bucket, rank: Rank, now: SystemTime) -> Place<'_> {
        self.queue_of("a", bucket, rank, now)
    }

    fn queue_of(&self, namespace: &str, bucket: Bucket, rank: Rank, now: SystemTime) -> Place<'_> {
        self.0.queue(Whose { account: "1", region: "eu-west-1", share: self.1, namespace }, bucket, rank, now)
    }

    /// Takes a token, or goes away.
    fn take(&self, bucket: Bucket, rank: Rank, now: SystemTime) -> Result<(), NoToken> {
        let place = self.queue(bucket, rank, now);
        place.take(now).map_err(|_| place.leave(now))
    }
}

fn taken(budgets: &Ours, bucket: Bucket, rank: Rank, now: SystemTime) -> usize {
    (0..1000).take_while(|_| budgets.take(bucket, rank, now).is_ok()).count()
}

#[test]
fn a_bucket_holds_our_share_of_awss_burst_and_refills_at_our_share_of_its_rate() {
    let budgets = Ours::new(Share(50));
    let start = SystemTime::UNIX_EPOCH;
    assert_eq!(taken(&budgets, Bucket::ServiceModify, Rank::Rollback, start), 25);
    assert_eq!(taken(&budgets, Bucket::ServiceModify, Rank::Rollback, start + Duration::from_secs(2)), 5);
    assert_eq!(taken(&budgets, Bucket::ServiceModify, Rank::Rollback, start + Duration::from_hours(1)), 25);
}

#[test]
fn each_rank_leaves_tokens_to_those_that_matter_more() {
    let budgets = Ours::new(Share(100));
    let now = SystemTime::UNIX_EPOCH;
    let most = Rank::ALL.map(|rank| taken(&budgets, Bucket::ServiceModify, rank, now));
    assert_eq!((Rank::ALL, most), ([Rank::Chore, Rank::Look, Rank::Rollout, Rank::Rollback], [30, 7, 8, 5]));
}

/// What asked before: when, in milliseconds after the one before, and how much it mattered.
fn past() -> impl Strategy<Value = Vec<(u64, Rank)>> {
    prop::collection::vec((0..300_u64, prop::sample::select(Rank::ALL.to_vec())), 0..120)
}

/// Budgets after that past, and when it ends.
fn after(past: &[(u64, Rank)]) -> (Ours, SystemTime) {
    let budgets = Ours::new(Share(60));
    let mut now = SystemTime::UNIX_EPOCH;
    for (later, rank) in past {
        now += Duration::from_millis(*later);
        let _ = budgets.take(Bucket::ServiceModify, *rank, now);
    }
    (budgets, now)
}

proptest! {
    #[test]
    fn where_there_is_a_token_for_one_there_is_one_for_whoever_matters_more(past in past()) {
        let gets = Rank::ALL.map(|rank| {
            let (budgets, now) = after(&past);
            budgets.take(Bucket::ServiceModify, rank, now).is_ok()
        });
        prop_assert!(gets.is_sorted(), "{gets:?}");
    }

    #[test]
    fn however_much_the_others_ask_there_is_a_token_for_the_first_roll_back(past in past()) {
        let others: Vec<_> = past.into_iter().filter(|(_, rank)| *rank != Rank::Rollback).collect();
        let (budgets, now) = after(&others);
        prop_assert_eq!(budgets.take(Bucket::ServiceModify, Rank::Rollback, now), Ok(()));
    }
}

#[test]
fn while_more_is_asked_than_there_is_what_comes_in_goes_to_those_that_matter_most() {
    let budgets = Ours::new(Share(100));
    let mut got = BTreeMap::<Rank, u32>::new();
    // Five tokens a second come in. Each rank asks five times a second, for two minutes, the least first.
    for step in 0..600 {
        let now = SystemTime::UNIX_EPOCH + Duration::from_millis(200 * step);
        for rank in Rank::ALL {
            let ok = budgets.take(Bucket::ServiceModify, rank, now).is_ok();
            *got.entry(rank).or_default() += u32::from(ok);
        }
    }
    assert_eq!(got[&Rank::Rollback], 600);
    assert!(got[&Rank::Chore] + got[&Rank::Look] + got[&Rank::Rollout] <= 50, "the burst alone: {got:?}");
}

#[test]
fn accounts_regions_and_buckets_do_not_take_from_each_other() {
    let budgets = Ours::new(Share(100));
    let now = SystemTime::UNIX_EPOCH;
    taken(&budgets, Bucket::TagModify, Rank::Rollback, now);
    let take = |account, region, bucket| {
        let whose = Whose { account, region, share: Share(100), namespace: "a" };
        let place = budgets.0.queue(whose, bucket, Rank::Chore, now);
        place.take(now).map_err(|_| place.leave(now))
    };
    assert_eq!(take("1", "eu-west-1", Bucket::TagModify), Err(NoToken { wait: Duration::from_millis(900) }));
    assert_eq!(take("2", "eu-west-1", Bucket::TagModify), Ok(()));
    assert_eq!(take("1", "us-east-2", Bucket::TagModify), Ok(()));
    assert_eq!(take("1", "eu-west-1", Bucket::LogRead), Ok(()));
}

#[test]
fn who_gets_no_token_is_told_when_there_is_one_after_those_of_all_who_wait_already() {
    let budgets = Ours::new(Share(100));
    let start = SystemTime::UNIX_EPOCH;
    taken(&budgets, Bucket::ServiceModify, Rank::Rollback, start);
    let mut waits: Vec<Duration> = (0..20)
        .map(|_| budgets.take(Bucket::ServiceModify, Rank::Rollback, start))
        .filter_map(|answer| answer.err().map(|none| none.wait))
        .collect();
    // The first of them was told by `taken`: five a second. Another rank does not wait behind them.
    let other = budgets.take(Bucket::ServiceModify, Rank::Rollout, start).unwrap_err();
    assert_eq!(other.wait, Duration::from_millis(1_200));
    assert_eq!((waits[0], waits[19]), (Duration::from_millis(400), Duration::from_millis(4_200)));
    waits.insert(0, Duration::from_millis(200));
    for wait in waits {
        assert_eq!(taken(&budgets, Bucket::ServiceModify, Rank::Rollback, start + wait), 1, "after {wait:?}");
    }
}

#[test]
fn who_stays_gets_what_comes_in_in_the_order_of_rank_and_coming_and_newcomers_stand_behind() {
    let budgets = Ours::new(Share(100));
    let start = SystemTime::UNIX_EPOCH;
    let at = |millis| start + Duration::from_millis(millis);
    taken(&budgets, Bucket::ServiceModify, Rank::Rollback, start);
    let queue = |rank| budgets.queue(Bucket::ServiceModify, rank, start);
    let (first, second, urgent) = (queue(Rank::Rollback), queue(Rank::Rollback), queue(Rank::Rollback));
    let rollout = queue(Rank::Rollout);
    drop(second);
    assert!(urgent.take(at(200)).is_err(), "the first one's turn");
    assert!(budgets.take(Bucket::ServiceModify, Rank::Rollback, at(200)).is_err(), "a newcomer");
    assert_eq!(first.take(at(201)), Ok(()));
    drop(first);
    let wait = urgent.take(at(201)).unwrap_err();
    assert!(
        wait > Duration::from_millis(150) && wait <= Duration::from_millis(201),
        "who went away is not waited for: {wait:?}"
    );
    assert_eq!(urgent.take(at(201) + wait), Ok(()));
    drop(urgent);
    let wait = rollout.take(at(402)).unwrap_err();
    assert_eq!(rollout.take(at(402) + wait), Ok(()));
}

#[test]
fn nobody_is_told_to_wait_for_longer_than_an_hour() {
    let budgets = Ours::new(Share(0));
    let take = |_| budgets.take(Bucket::TaskDefinitionModify, Rank::Rollout, SystemTime::UNIX_EPOCH);
    let waits: Vec<Duration> = (0..99).filter_map(|number| take(number).err()).map(|none| none.wait).collect();
    assert_eq!(waits.last(), Some(&Duration::from_hours(1)));
}

#[test]
fn the_smallest_share_still_lets_everybody_through_in_the_end() {
    let budgets = Ours::new(Share(1));
    let now = SystemTime::UNIX_EPOCH;
    assert_eq!(budgets.take(Bucket::LogRead, Rank::Chore, now), Ok(()));
}

#[test]
fn another_share_counts_from_the_next_token_on() {
    let budgets = Ours::new(Share(10));
    let start = SystemTime::UNIX_EPOCH;
    taken(&budgets, Bucket::ServiceModify, Rank::Rollback, start);
    let whole = Ours(budgets.0, Share(100));
    assert_eq!(taken(&whole, Bucket::ServiceModify, Rank::Rollback, start + Duration::from_secs(2)), 10);
}

#[test]
fn a_clock_that_goes_back_gives_no_tokens() {
    let budgets = Ours::new(Share(100));
    let late = SystemTime::UNIX_EPOCH + Duration::from_hours(1);
    taken(&budgets, Bucket::TagModify, Rank::Rollback, late);
    assert_eq!(taken(&budgets, Bucket::TagModify, Rank::Rollback, SystemTime::UNIX_EPOCH), 0);
}

/// When somebody of a namespace is to try, and the place that it has already, with how long it still waits there.
type Due<'a> = (SystemTime, &'static str, Option<(Place<'a>, Duration)>);

/// When the changes of one namespace are served, in seconds after they came, while another one's came first. Each waits for its
/// turn if that is not long, as a pass does; else it goes away and comes again when it was told to.
fn seconds_until_served(flood: usize, rank: Rank, victims: usize) -> Vec<f64> {
    const PATIENCE: Duration = Duration::from_secs(30);
    let budgets = Ours::new(Share(100));
    let start = SystemTime::UNIX_EPOCH;
    let came = |at| start + Duration::from_secs(at);
    let mut due: Vec<Due<'_>> = (0..flood).map(|_| (came(0), "flood", None)).collect();
    due.extend((0..victims).map(|_| (came(1), "victim", None)));
    let mut served = Vec::new();
    while served.len() < victims {
        let next = (0..due.len()).min_by_key(|at| due[*at].0).unwrap();
        let (now, namespace, waiting) = due.remove(next);
        let (place, left) = waiting.unwrap_or_else(|| {
            let rank = if namespace == "flood" { rank } else { Rank::Rollout };
            (budgets.queue_of(namespace, Bucket::TaskDefinitionModify, rank, now), PATIENCE)
        });
        match place.take(now) {
            Ok(()) if namespace == "victim" => served.push(now.duration_since(came(1)).unwrap().as_secs_f64()),
            Ok(()) => {}
            Err(wait) => match left.checked_sub(wait) {
                Some(left) => due.push((now + wait, namespace, Some((place, left)))),
                None => due.push((now + place.leave(now).wait, namespace, None)),
            },
        }
    }
    served
}

#[test]
fn a_thousand_changes_of_another_namespace_leave_each_second_token() {
    let last = |all: &[f64]| all.last().copied().unwrap();
    let quiet = last(&seconds_until_served(0, Rank::Rollout, 40));
    // Of a full bucket 18 are served at once; beside the others there is none.
    assert!((quiet - 22.0).abs() < 1.0, "{quiet:.0} s");
    // However much the others say that theirs matter.
    for rank in [Rank::Rollout, Rank::Rollback] {
        let flooded = seconds_until_served(1000, rank, 40);
        assert!(
            last(&flooded) <= 2.0 * (quiet + 18.0) + 5.0,
            "{rank:?}: {:.0} s, and {quiet:.0} s quiet",
            last(&flooded)
        );
        assert!(flooded[0] <= 5.0, "{rank:?}: the first one waits {:.1} s", flooded[0]);
    }
}
