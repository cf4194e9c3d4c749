//! The tree against a sorted vector, with nodes so small that everything splits and merges all the time.

use super::*;
use crate::base::random::Random;

type Handle = u32;

/// The name that a handle leads to: it orders as the number does.
fn name(handle: Handle) -> [u8; 4] {
    handle.to_be_bytes()
}

fn order_of(score: f64, handle: Handle) -> impl Fn(f64, Handle) -> Ordering + Copy {
    move |s, h| s.total_cmp(&score).then_with(|| name(h).cmp(&name(handle)))
}

fn add<const L: usize, const I: usize>(tree: &mut Tree<Handle, L, I>, score: f64, handle: Handle) {
    tree.insert(Entry { score, handle }, order_of(score, handle));
}

/// What a tree must be like: elements in order, no two alike.
#[derive(Default)]
struct Model(Vec<(f64, Handle)>);

impl Model {
    fn rank(&self, score: f64, handle: Handle) -> Result<usize, usize> {
        self.0
            .binary_search_by(|(s, h)| order_of(score, handle)(*s, *h))
    }
}

fn operations() -> usize {
    std::env::var("OXIDIS_MODEL_OPERATIONS")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(60_000)
}

fn model_run<const L: usize, const I: usize>(seed: u64, scores: u64, names: u64) {
    let mut random = Random::from_seed(seed);
    let (mut tree, mut model) = (Tree::<Handle, L, I>::new(), Model::default());
    for step in 0..operations() {
        let (score, handle) = (random.below(scores) as f64, random.below(names) as u32);
        let grows = step / 5000 % 3 != 2;
        match random.below(100) {
            0..70 => match model.rank(score, handle) {
                Err(at) if grows => {
                    add(&mut tree, score, handle);
                    model.0.insert(at, (score, handle));
                }
                Err(_) => assert_eq!(tree.remove(order_of(score, handle)), None),
                Ok(at) => {
                    let removed = tree.remove(order_of(score, handle));
                    assert_eq!(removed, Some(Entry { score, handle }));
                    model.0.remove(at);
                }
            },
            70..80 => remove_somewhere(&mut tree, &mut model, &mut random, grows),
            80..95 => change_somewhere(&mut tree, &mut model, &mut random, score),
            _ => compare_somewhere(&tree, &model, &mut random, score),
        }
        assert_eq!(tree.len(), model.0.len());
        if step % 61 == 0 {
            check(&tree, &model);
        }
    }
    let rebuilt = Tree::<Handle, L, I>::from_sorted(tree.iter());
    check(&rebuilt, &model);
    let len = tree.len();
    let mut seen = Vec::new();
    tree.remove_range(0..len, |entry| seen.push((entry.score, entry.handle)));
    assert!(tree.is_empty() && seen == model.0);
}

fn remove_somewhere<const L: usize, const I: usize>(
    tree: &mut Tree<Handle, L, I>,
    model: &mut Model,
    random: &mut Random,
    grows: bool,
) {
    let len = model.0.len() as u64;
    if len == 0 {
        return assert_eq!(tree.remove_at(0), None);
    }
    let at = random.below(len) as usize;
    if random.below(4) > 0 {
        let removed = tree.remove_at(at).map(|entry| (entry.score, entry.handle));
        return assert_eq!(removed, Some(model.0.remove(at)));
    }
    let most = if grows { 12 } else { 200 };
    let end = (at + random.below(most) as usize).min(model.0.len());
    let mut seen = Vec::new();
    tree.remove_range(at..end, |entry| seen.push((entry.score, entry.handle)));
    assert_eq!(seen, model.0.drain(at..end).collect::<Vec<_>>());
}

fn change_somewhere<const L: usize, const I: usize>(
    tree: &mut Tree<Handle, L, I>,
    model: &mut Model,
    random: &mut Random,
    score: f64,
) {
    if model.0.is_empty() {
        return;
    }
    let at = random.below(model.0.len() as u64) as usize;
    let (old, handle) = model.0[at];
    let new = if random.below(2) == 0 {
        score
    } else {
        old + 1.0
    };
    if new != old && model.rank(new, handle).is_ok() {
        return;
    }
    assert!(tree.change_score(new, order_of(old, handle), order_of(new, handle)));
    model.0.remove(at);
    if let Err(at) = model.rank(new, handle) {
        model.0.insert(at, (new, handle));
    }
}

fn compare_somewhere<const L: usize, const I: usize>(
    tree: &Tree<Handle, L, I>,
    model: &Model,
    random: &mut Random,
    score: f64,
) {
    let below = model.0.partition_point(|(s, _)| *s < score);
    let not_above = model.0.partition_point(|(s, _)| *s <= score);
    assert_eq!(tree.count_while(|s, _| s < score), below);
    assert_eq!(tree.count_while(|s, _| s <= score), not_above);
    let pairs = |entries: &mut dyn Iterator<Item = Entry<Handle>>| -> Vec<(f64, Handle)> {
        entries.map(|entry| (entry.score, entry.handle)).collect()
    };
    let between = &model.0[below..not_above];
    assert_eq!(pairs(&mut tree.range(below..not_above)), between);
    let mut backwards = pairs(&mut tree.range(below..not_above).rev());
    backwards.reverse();
    assert_eq!(backwards, between);
    if let Some((s, h)) = model.0.get(below) {
        assert_eq!(
            tree.count_while(|a, b| order_of(*s, *h)(a, b).is_lt()),
            below
        );
    }
    let (mut runs, mut joined) = (tree.range(below..not_above), Vec::new());
    while let Some((scores, handles)) = runs.next_run() {
        joined.extend(scores.iter().copied().zip(handles.iter().copied()));
    }
    assert_eq!(joined, between);
    let (mut runs, mut joined) = (tree.range(below..not_above), Vec::new());
    while let Some((scores, handles)) = runs.next_run_back() {
        let run: Vec<_> = scores
            .iter()
            .copied()
            .zip(handles.iter().copied())
            .collect();
        joined.splice(0..0, run);
    }
    assert_eq!(joined, between);
    let (mut both, mut from_both) = (tree.range(0..20), Vec::new());
    while let Some(entry) = if random.below(2) == 0 {
        both.next()
    } else {
        both.next_back()
    } {
        from_both.push(entry.handle);
    }
    assert_eq!(from_both.len(), model.0.len().min(20));
}

fn check<const L: usize, const I: usize>(tree: &Tree<Handle, L, I>, model: &Model) {
    if let Some(root) = &tree.root {
        root.check();
    }
    let all: Vec<(f64, Handle)> = tree.iter().map(|e| (e.score, e.handle)).collect();
    assert_eq!(all, model.0);
    for (rank, (score, handle)) in model.0.iter().enumerate().step_by(17) {
        let entry = Entry {
            score: *score,
            handle: *handle,
        };
        assert_eq!(tree.nth(rank), Some(entry));
    }
    assert_eq!(tree.nth(model.0.len()), None);
}

#[test]
fn model_small_nodes_hold_what_a_sorted_vector_holds() {
    model_run::<4, 4>(1, 1000, 1000);
    model_run::<5, 4>(2, 20, 3000);
    model_run::<8, 5>(3, 1, 4000);
}

#[test]
fn model_usual_nodes_hold_what_a_sorted_vector_holds() {
    model_run::<LEAF_ENTRIES, INNER_CHILDREN>(4, 1_000_000, 1_000_000);
}

/// Bytes of the nodes for each of 100,000 elements with handles of six bytes that `next_score` brings in this order.
fn bytes_each(mut next_score: impl FnMut(u32) -> f64) -> f64 {
    let mut tree: Tree<[u16; 3]> = Tree::new();
    let of = |handle: [u16; 3]| u32::from(handle[0]) | u32::from(handle[1]) << 16;
    for number in 0..100_000u32 {
        let (score, handle) = (
            next_score(number),
            [number as u16, (number >> 16) as u16, 0],
        );
        tree.insert(Entry { score, handle }, |s, h| {
            s.total_cmp(&score).then(of(h).cmp(&number))
        });
    }
    tree.heap_bytes() as f64 / tree.len() as f64
}

#[test]
fn nodes_are_well_filled_at_random_and_better_in_order() {
    let mut random = Random::from_seed(5);
    let at_random = bytes_each(|_| random.below(1 << 40) as f64);
    let ascending = bytes_each(f64::from);
    let descending = bytes_each(|number| -f64::from(number));
    assert!(at_random < 19.0, "{at_random}");
    assert!(ascending < 16.5, "{ascending}");
    assert!(descending < 22.0, "{descending}");
}
