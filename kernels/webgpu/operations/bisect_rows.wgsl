// Clusters of rows by weighted bisection, one cut after another by one workgroup for each head: see `Backend.bisectRows`. Behind
// reductions.wgsl, bisection_tree.wgsl and cut_cluster.wgsl.

@group(0) @binding(7) var<storage, read_write> clusters: array<u32>; // (heads) u32
@group(0) @binding(8) var<storage, read_write> products: array<u32>; // (heads) u32

// Means, scatters and places of two clusters whose members follow one another, of which the second may be empty.
fn enterClusters(head: u32, labels: vec2u, start: u32, near: u32, length: u32, local: u32) {
  let first = vectorsOf(head) + labels * parameters.columns;
  let scatters = measure(head, ordersOf(head) + start, near, length, first.x, first.y, local);
  if (local == 0u) {
    enterPlace(head, labels.x, vec2u(start, near), scatters.x);
    if (near < length) {
      enterPlace(head, labels.y, vec2u(start + near, length - near), scatters.y);
    }
  }
  storageBarrier();
}

fn enterPlace(head: u32, label: u32, place: vec2u, scatter: f32) {
  moments[head * (parameters.count + parameters.most + 1u) + parameters.count + label] = scatter;
  order[placeOf(head, label)] = place.x;
  order[placeOf(head, label) + 1u] = place.y;
}

// Enters a cut as the last one of the cluster that it cuts.
fn noteCut(head: u32, near: u32, cut: u32) {
  order[cutsOf(head, cut)] = 0u;
  order[cutsOf(head, cut) + 1u] = 0u;
  var last = cutsOf(head, near);
  while (order[last] != 0u) {
    last = cutsOf(head, order[last]) + 1u;
  }
  order[last] = cut;
}

// The state of a head after no cut.
@compute @workgroup_size(LANES)
fn begin(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let head = workgroup.x + workgroup.y * workgroups.x;
  if (head >= parameters.heads) {
    return;
  }
  let count = parameters.count;
  let columns = parameters.columns;
  let state = head * (count + parameters.most + 1u);
  for (var i = local; i < parameters.grown; i += LANES) {
    let row = rowOfPart(i);
    order[ordersOf(head) + i] = row;
    labels[head * count + row] = 0u;
  }
  storageBarrier();
  // Moments are about the mean of all: squared norms of rows far from 0 would drown what lies between these. The scatter
  // that comes with that mean means nothing yet.
  let centre = centreOf(head);
  enterClusters(head, vec2u(0u), 0u, parameters.grown, parameters.grown, local);
  for (var c = local; c < columns; c += LANES) {
    means[centre + c] = means[vectorsOf(head) + c];
  }
  storageBarrier();
  var found = 0.0;
  for (var i = local; i < parameters.grown; i += LANES) {
    let row = rowOfPart(i);
    let moment = weights[head * count + row] * squareOf((head * count + row) * columns, centre, 0u, 1u);
    moments[state + row] = moment;
    found += moment;
  }
  // One row has no scatter, only rounding.
  let scatter = select(0.0, sumOfLanes(vec2f(found, 0.0), local).x, parameters.grown > 1u);
  if (local == 0u) {
    moments[state + count] = scatter;
    moments[state + count + parameters.most] = NEGLIGIBLE_SCATTER * moments[state + count];
    order[cutsOf(head, 0u)] = 0u;
    order[cutsOf(head, 0u) + 1u] = 0u;
    clusters[head] = 1u;
    products[head] = 0u;
    if (parameters.nodes > 0u) {
      let root = nodeOf(head, 0u);
      order[root] = bitcast<u32>(moments[state + count]);
      order[root + 1u] = 0u;
      order[root + 2u] = parameters.grown;
      order[root + 3u] = UNCUT;
      order[root + 5u] = 0u;
      order[root + 6u] = order[root];
      order[root + 11u] = costOf(parameters.grown);
    }
  }
  if (parameters.nodes > 0u) {
    for (var c = local; c < columns; c += LANES) {
      means[nodeVectors(head, 0u) + c] = means[vectorsOf(head) + c];
    }
  }
}

@compute @workgroup_size(LANES)
fn cutOn(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let head = workgroup.x + workgroup.y * workgroups.x;
  if (head >= parameters.heads) {
    return;
  }
  let count = parameters.count;
  let columns = parameters.columns;
  let own = ordersOf(head);
  let members = own + parameters.grown;
  let state = head * (count + parameters.most + 1u);
  let vectors = vectorsOf(head);
  let negligible = moments[state + count + parameters.most];

  var made = agreeOn(clusters[head], local);
  var spent = agreeOn(products[head], local);
  let before = spent;
  for (var done = 0u; done < parameters.cuts; done++) {
    var most = -1.0;
    var widestHere = 0u;
    for (var label = local; label < made; label += LANES) {
      let scatter = moments[state + count + label];
      if (scatter > most) {
        most = scatter;
        widestHere = label;
      }
    }
    let widest = u32(largestOfLanes(most, widestHere, local).y);
    let start = order[placeOf(head, widest)];
    var length = order[placeOf(head, widest) + 1u];
    let affordable = isAffordable(spent, made, length);
    let further = affordable && spent - before < parameters.work && moments[state + count + widest] > negligible;
    length = agreeOn(select(0u, length, further), local);
    if (length == 0u) {
      break;
    }
    spent += costOf(length);

    for (var i = local; i < length; i += LANES) {
      order[members + i] = order[own + start + i];
    }
    storageBarrier();
    let mean = vectors + widest * columns;
    let near = cutInTwo(head, members, own + start, length, mean, normalOf(head, made), local);
    if (near > 0u) {
      enterClusters(head, vec2u(widest, made), start, near, length, local);
      for (var i = near + local; i < length; i += LANES) {
        labels[head * count + order[own + start + i]] = made;
      }
      if (local == 0u) {
        noteCut(head, widest, made);
      }
      storageBarrier();
      made++;
    } else {
      for (var i = local; i < length; i += LANES) {
        order[own + start + i] = order[members + i] & ~BEYOND;
      }
      if (local == 0u) {
        moments[state + count + widest] = 0.0;
      }
      storageBarrier();
    }
  }
  if (local == 0u) {
    clusters[head] = made;
    products[head] = spent;
  }
}
