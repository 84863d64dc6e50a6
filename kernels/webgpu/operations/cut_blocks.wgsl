// Cuts nodes of few rows down to bundles, level by level, and these in their middles: see `Backend.growTree`. Behind grow_tree.wgsl.

override LANES: u32;

// A workgroup has the nodes that begin in BLOCK places: they end within the next BLOCK.
const SPAN = 2u * BLOCK;

var<workgroup> members: array<u32, SPAN>;
var<workgroup> movedMembers: array<u32, SPAN>;
// Where the node of each place begins and ends, counted from the first place, and 2^16 times the end.
var<workgroup> ranges: array<u32, SPAN>;
var<workgroup> movedRanges: array<u32, SPAN>;
// Where the number of the cut of the node that begins at a place is to be written.
var<workgroup> links: array<u32, SPAN>;
var<workgroup> values: array<f32, SPAN>;
// The member that the node which begins at a place has picked last, and the one before.
var<workgroup> picks: array<u32, SPAN>;
var<workgroup> pickedBefore: array<u32, SPAN>;
// The product half-way between the centres of the node that begins at a place.
var<workgroup> middles: array<f32, SPAN>;
// Between which products the node that begins at a place is cut.
var<workgroup> lowest: array<f32, SPAN>;
var<workgroup> highest: array<f32, SPAN>;
var<workgroup> open: atomic<u32>;
var<workgroup> agreed: vec2u;

fn isBoundary(head: u32, place: u32) -> bool {
  return place == 0u || cuts[4u * (head * parameters.count + place) + 1u] != 0u;
}

// The first place from one on at which a node begins, or `to`.
fn firstBoundary(head: u32, start: u32, to: u32) -> u32 {
  var found = to;
  for (var place = start; place < to && found == to; place += FRONT) {
    var ends: array<u32, FRONT>;
    for (var step = 0u; step < FRONT; step++) {
      ends[step] = cuts[4u * (head * parameters.count + min(place + step, to - 1u)) + 1u];
    }
    for (var step = 0u; step < FRONT; step++) {
      let isBegin = place + step == 0u || ends[step] != 0u;
      found = min(found, select(to, place + step, isBegin));
    }
  }
  return found;
}

// Where the first node begins of those that begin in BLOCK places, before any of them is cut; beyond these places if none does.
@compute @workgroup_size(64)
fn findBlocks(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let at = (workgroup.x + workgroup.y * workgroups.x) * 64u + local;
  let head = at / parameters.slots;
  if (head >= parameters.heads) {
    return;
  }
  let place = at % parameters.slots * BLOCK;
  nodes[at] = firstBoundary(head, place, min(place + BLOCK, parameters.count));
}

// The same, or the end: nodes of at most BLOCK rows begin in these places, or the last of those before ends at the end.
fn blockIn(head: u32, window: u32) -> u32 {
  if (window >= parameters.slots) {
    return parameters.count;
  }
  return nodes[head * parameters.slots + window];
}

fn beginOf(i: u32) -> u32 {
  return ranges[i] & 0xffffu;
}

fn endOf(i: u32) -> u32 {
  return ranges[i] >> 16u;
}

// Whether the node of a place is to be cut by a plane.
fn isWide(i: u32) -> bool {
  return endOf(i) - beginOf(i) > TREE_BUNDLE;
}

// Whether such a node begins at a place.
fn leads(i: u32) -> bool {
  return beginOf(i) == i && isWide(i);
}

// Each node picks its member farthest from the one that it picked before, the first of those as far.
fn pickFarthest(head: u32, length: u32, local: u32) {
  for (var i = local; i < length; i += LANES) {
    values[i] = distanceOf(rowAt(head, members[i]), rowAt(head, members[picks[beginOf(i)]]));
  }
  workgroupBarrier();
  for (var i = local; i < length; i += LANES) {
    if (leads(i)) {
      var farthest = i;
      for (var j = i + 1u; j < endOf(i); j++) {
        farthest = select(farthest, j, values[j] > values[farthest]);
      }
      picks[i] = farthest;
    }
  }
  workgroupBarrier();
}

// Products of members with the normals of their nodes, and those half-way between the centres.
fn measure(head: u32, start: u32, length: u32, local: u32) {
  let columns = parameters.columns;
  for (var i = local; i < length; i += LANES) {
    if (isWide(i)) {
      values[i] = productOf(rowAt(head, members[i]), rowAt(head, start + beginOf(i)));
    }
    if (leads(i)) {
      let plane = rowAt(head, start + i);
      var sums = vec4f(0.0);
      for (var c = 0u; c < columns; c++) {
        sums = fma(planes[plane + columns + c], planes[plane + c], sums);
      }
      middles[i] = 0.5 * ((sums.x + sums.y) + (sums.z + sums.w));
    }
  }
  workgroupBarrier();
}

// Moves the plane of each node half-way between the means of its two sides, unless one has no row.
fn improve(head: u32, start: u32, length: u32, local: u32) {
  let columns = parameters.columns;
  for (var at = local; at < length * columns; at += LANES) {
    let i = at / columns;
    let column = at % columns;
    if (leads(i)) {
      var nearSum = vec4f(0.0);
      var farSum = vec4f(0.0);
      var nearCount = 0u;
      let end = endOf(i);
      for (var next = i; next < end; next += FRONT) {
        var ahead: array<vec4f, FRONT>;
        for (var step = 0u; step < FRONT; step++) {
          ahead[step] = rows[rowAt(head, members[min(next + step, end - 1u)]) + column];
        }
        for (var step = 0u; step < FRONT; step++) {
          let isOwn = FRONT == 1u || next + step < end;
          let isNear = values[min(next + step, end - 1u)] <= middles[i];
          nearSum += select(vec4f(0.0), ahead[step], isOwn && isNear);
          farSum += select(vec4f(0.0), ahead[step], isOwn && !isNear);
          nearCount += select(0u, 1u, isOwn && isNear);
        }
      }
      if (nearCount > 0u && nearCount < end - i) {
        setPlane(rowAt(head, start + i), column, nearSum / f32(nearCount), farSum / f32(end - i - nearCount));
      }
    }
  }
  storageBarrier();
  workgroupBarrier();
}

// Cuts each node by the sides of its members.
fn separate(head: u32, start: u32, length: u32, local: u32) {
  for (var i = local; i < length; i += LANES) {
    if (!isWide(i)) {
      continue;
    }
    let begin = beginOf(i);
    let end = endOf(i);
    let value = values[i];
    let least = leastOf(end - begin);
    var rank = 0u;
    for (var j = begin; j < end; j++) {
      rank += select(0u, 1u, values[j] < value || (values[j] == value && j < i));
    }
    if (rank == least - 1u) {
      lowest[begin] = value;
    }
    if (rank + least + 1u == end - begin) {
      highest[begin] = value;
    }
  }
  workgroupBarrier();
  for (var i = local; i < length; i += LANES) {
    let begin = beginOf(i);
    let end = endOf(i);
    movedMembers[i] = members[i];
    movedRanges[i] = ranges[i];
    if (isWide(i)) {
      let limit = limitOf(middles[begin], lowest[begin], highest[begin]);
      var below = 0u;
      var total = 0u;
      for (var j = begin; j < end; j++) {
        let near = select(0u, 1u, values[j] <= limit);
        total += near;
        below += select(0u, near, j < i);
      }
      picks[i] = i;
      var cut = begin + total;
      if (total == 0u || total == end - begin) {
        cut = begin + (end - begin) / 2u;
      } else {
        picks[i] = select(cut + i - begin - below, begin + below, values[i] <= limit);
      }
      movedRanges[i] = select(cut | (end << 16u), begin | (cut << 16u), i < cut);
      if (begin == i) {
        let number = start + cut;
        enterCut(head, start + begin, start + end, number, links[begin]);
        links[begin] = 4u * number + 2u;
        links[cut] = 4u * number + 3u;
      }
    } else {
      picks[i] = i;
    }
  }
  workgroupBarrier();
  for (var i = local; i < length; i += LANES) {
    members[picks[i]] = movedMembers[i];
    ranges[i] = movedRanges[i];
  }
  workgroupBarrier();
  for (var i = local; i < length; i += LANES) {
    picks[i] = i;
  }
  workgroupBarrier();
}

const_assert TREE_BUNDLE <= 4;

// Cuts a node of few rows in its middle, and then its sides, which have two rows at most.
fn cutBundle(head: u32, begin: u32, end: u32, link: u32) {
  let cut = begin + (end - begin) / 2u;
  enterCut(head, begin, end, cut, link);
  if (cut - begin > 1u) {
    enterCut(head, begin, cut, begin + 1u, 4u * cut + 2u);
  }
  if (end - cut > 1u) {
    enterCut(head, cut, end, cut + 1u, 4u * cut + 3u);
  }
}

fn agreeOn(value: vec2u, local: u32) -> vec2u {
  if (local == 0u) {
    agreed = value;
  }
  return workgroupUniformLoad(&agreed);
}

@compute @workgroup_size(LANES)
fn cutBlocks(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let place = workgroup.x + workgroup.y * workgroups.x;
  let windows = parameters.slots;
  let head = place / windows;
  if (head >= parameters.heads) {
    return;
  }
  let count = parameters.count;
  let own = head * count;
  let to = min((place % windows + 1u) * BLOCK, count);
  let bounds = agreeOn(vec2u(blockIn(head, place % windows), blockIn(head, place % windows + 1u)), local);
  let start = bounds.x;
  let length = bounds.y - start;
  // No node begins here.
  if (start >= to) {
    return;
  }
  for (var i = local; i < length; i += LANES) {
    members[i] = order[own + start + i];
    if (start + i < to && isBoundary(head, start + i)) {
      let limit = min(to, start + length);
      let next = firstBoundary(head, start + i + 1u, limit);
      // The last one reaches beyond these places.
      let end = select(next - start, length, next == limit);
      for (var j = i; j < end; j++) {
        ranges[j] = i | (end << 16u);
      }
      let begin = start + i;
      // The far side of the cut before it, if that node ends where it does; else the near side of the cut behind it, or the whole.
      if (begin > 0u && cuts[4u * (own + begin) + 1u] == start + end) {
        links[i] = 4u * begin + 3u;
      } else {
        links[i] = 2u + select(0u, 4u * (start + end), start + end < count);
      }
    }
    picks[i] = i;
  }
  workgroupBarrier();
  loop {
    if (local == 0u) {
      atomicStore(&open, 0u);
    }
    workgroupBarrier();
    for (var i = local; i < length; i += LANES) {
      if (leads(i)) {
        atomicStore(&open, 1u);
      }
    }
    workgroupBarrier();
    if (agreeOn(vec2u(atomicLoad(&open), 0u), local).x == 0u) {
      break;
    }
    pickFarthest(head, length, local);
    for (var i = local; i < length; i += LANES) {
      pickedBefore[i] = picks[i];
    }
    workgroupBarrier();
    pickFarthest(head, length, local);
    for (var at = local; at < length * parameters.columns; at += LANES) {
      let i = at / parameters.columns;
      let column = at % parameters.columns;
      if (leads(i)) {
        let near = rows[rowAt(head, members[pickedBefore[i]]) + column];
        setPlane(rowAt(head, start + i), column, near, rows[rowAt(head, members[picks[i]]) + column]);
      }
    }
    storageBarrier();
    workgroupBarrier();
    for (var step = 0u; step < STEPS; step++) {
      measure(head, start, length, local);
      improve(head, start, length, local);
    }
    measure(head, start, length, local);
    separate(head, start, length, local);
  }
  for (var i = local; i < length; i += LANES) {
    order[own + start + i] = members[i];
    if (beginOf(i) == i && endOf(i) - i > 1u) {
      cutBundle(head, start + i, start + endOf(i), links[i]);
    }
  }
}
