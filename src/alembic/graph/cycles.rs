//! Finds revisions that come before themselves, without recursion and in one pass over the graph each way.
//! Refuses to take cycles apart: whoever stands between two of them is named with them.

use super::{Graph, Node, Problem};

/// A cycle of `down_revision`s, or else one that `depends_on` closes: Alembic too looks for the second only if there is no first.
pub(super) fn find(graph: &Graph<'_>) -> Option<Problem> {
    let named = |nodes: Vec<Node>| {
        let scripts = nodes.into_iter().map(|node| graph.places[node].script);
        scripts
            .map(|script| (script.revision.clone(), script.path.clone()))
            .collect()
    };
    let edges: Vec<Vec<Node>> = graph.places.iter().map(|place| place.down.clone()).collect();
    let cyclic = on_cycles(&edges);
    if !cyclic.is_empty() {
        return Some(Problem::Cycle {
            scripts: named(cyclic),
        });
    }
    let edges: Vec<Vec<Node>> = (0..edges.len()).map(|node| graph.all_below(node)).collect();
    let cyclic = on_cycles(&edges);
    (!cyclic.is_empty()).then(|| Problem::DependencyCycle {
        scripts: named(cyclic),
    })
}

/// The nodes that remain when ends are taken away from both sides as long as there are any.
fn on_cycles(edges: &[Vec<Node>]) -> Vec<Node> {
    let mut reversed = vec![Vec::new(); edges.len()];
    for (node, others) in edges.iter().enumerate() {
        for &other in others {
            reversed[other].push(node);
        }
    }
    let remaining = without_starts(edges);
    let remaining_backwards = without_starts(&reversed);
    (0..edges.len())
        .filter(|&node| remaining[node] && remaining_backwards[node])
        .collect()
}

/// What remains when nodes to which nothing leads are taken away as long as there are any.
fn without_starts(edges: &[Vec<Node>]) -> Vec<bool> {
    let mut leading_to = vec![0_usize; edges.len()];
    edges.iter().flatten().for_each(|&other| leading_to[other] += 1);
    let mut open: Vec<Node> = (0..edges.len()).filter(|&node| leading_to[node] == 0).collect();
    let mut remaining = vec![true; edges.len()];
    while let Some(node) = open.pop() {
        remaining[node] = false;
        for &other in &edges[node] {
            leading_to[other] -= 1;
            if leading_to[other] == 0 {
                open.push(other);
            }
        }
    }
    remaining
}
