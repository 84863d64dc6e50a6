// Cuts nodes of many rows, a workgroup each: see `Backend.growTree`. Behind reductions.wgsl, member_of_part.wgsl and grow_tree.wgsl.

// Cuts that wait, of which each has at most half as many rows as the one before.
const MOST_WAITING = 32u;

var<workgroup> samples: array<u32, TREE_SAMPLE>;
var<workgroup> values: array<f32, TREE_SAMPLE>;
var<workgroup> nearSums: array<vec4f, LANES>;
var<workgroup> farSums: array<vec4f, LANES>;
var<workgroup> lowest: f32;
var<workgroup> highest: f32;
var<workgroup> waiting: array<vec3u, MOST_WAITING>;
var<workgroup> agreed: vec4u;

// No cut yet; the whole waits for its own.
@compute @workgroup_size(64)
fn begin(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let at = (workgroup.x + workgroup.y * workgroups.x) * 64u + local;
  let head = at / parameters.count;
  let place = at % parameters.count;
  if (head >= parameters.heads) {
    return;
  }
  order[at] = place;
  for (var word = 0u; word < 4u; word++) {
    cuts[4u * at + word] = select(0u, parameters.count, place == 0u && word == 1u);
  }
  if (place < parameters.slots) {
    for (var parity = 0u; parity < 2u; parity++) {
      let slot = 4u * ((parity * parameters.heads + head) * parameters.slots + place);
      nodes[slot] = 0u;
      nodes[slot + 1u] = select(0u, parameters.count, place + parity == 0u);
      nodes[slot + 2u] = 2u;
      nodes[slot + 3u] = 0u;
    }
  }
}

fn agreeOn(value: vec4u, local: u32) -> vec4u {
  if (local == 0u) {
    agreed = value;
  }
  return workgroupUniformLoad(&agreed);
}

// The member of the sample farthest from a row, the first of those as far.
fn farthestFrom(row: u32, count: u32, local: u32) -> u32 {
  var farthest = -1.0;
  var number = 0u;
  for (var i = local; i < count; i += LANES) {
    let distance = distanceOf(samples[i], row);
    if (distance > farthest) {
      farthest = distance;
      number = i;
    }
  }
  return samples[u32(largestOfLanes(farthest, number, local).y)];
}

// The product half-way between the centres.
fn middleOf(plane: u32, local: u32) -> f32 {
  let columns = parameters.columns;
  var sums = vec4f(0.0);
  for (var c = local; c < columns; c += LANES) {
    sums = fma(planes[plane + columns + c], planes[plane + c], sums);
  }
  return 0.5 * sumOfLanes(vec2f((sums.x + sums.y) + (sums.z + sums.w), 0.0), local).x;
}

// Moves the plane half-way between the means of the sample's two sides; false if one has no row.
fn improve(plane: u32, count: u32, local: u32) -> bool {
  let columns = parameters.columns;
  let middle = middleOf(plane, local);
  var near = 0u;
  for (var i = local; i < count; i += LANES) {
    values[i] = productOf(samples[i], plane);
    near += select(0u, 1u, values[i] <= middle);
  }
  sumBelow(near, local);
  let nearCount = workgroupUniformLoad(&sumOfAll);
  if (nearCount == 0u || nearCount == count) {
    return false;
  }
  let wide = min(columns, LANES);
  let parts = LANES / wide;
  let part = local / wide;
  for (var first = 0u; first < columns; first += wide) {
    let column = first + local % wide;
    var nearSum = vec4f(0.0);
    var farSum = vec4f(0.0);
    if (part < parts && column < columns) {
      for (var next = part; next < count; next += AHEAD * parts) {
        for (var step = 0u; step < AHEAD; step++) {
          let i = next + step * parts;
          if (i < count) {
            let row = rows[samples[i] + column];
            let isNear = values[i] <= middle;
            nearSum += select(vec4f(0.0), row, isNear);
            farSum += select(row, vec4f(0.0), isNear);
          }
        }
      }
    }
    nearSums[local] = nearSum;
    farSums[local] = farSum;
    workgroupBarrier();
    if (part == 0u && column < columns) {
      for (var next = 1u; next < parts; next += FRONT) {
        var near: array<vec4f, FRONT>;
        var far: array<vec4f, FRONT>;
        for (var step = 0u; step < FRONT; step++) {
          let other = min(next + step, parts - 1u) * wide + local;
          near[step] = nearSums[other];
          far[step] = farSums[other];
        }
        for (var step = 0u; step < FRONT; step++) {
          let own = select(0.0, 1.0, FRONT == 1u || next + step < parts);
          nearSum += own * near[step];
          farSum += own * far[step];
        }
      }
      setPlane(plane, column, nearSum / f32(nearCount), farSum / f32(count - nearCount));
    }
    workgroupBarrier();
  }
  storageBarrier();
  return true;
}

// Finds the plane that cuts a node, and up to where its near side reaches.
fn aim(head: u32, begin: u32, size: u32, local: u32) -> f32 {
  let columns = parameters.columns;
  let own = head * parameters.count;
  let plane = rowAt(head, begin);
  let every = (size + TREE_SAMPLE - 1u) / TREE_SAMPLE;
  let count = (size + every - 1u) / every;
  for (var i = local; i < count; i += LANES) {
    samples[i] = rowAt(head, order[own + begin + memberOfPart(i, every, size)]);
  }
  workgroupBarrier();
  let near = farthestFrom(samples[0], count, local);
  let far = farthestFrom(near, count, local);
  for (var column = local; column < columns; column += LANES) {
    setPlane(plane, column, rows[near + column], rows[far + column]);
  }
  storageBarrier();
  for (var step = 0u; step < STEPS; step++) {
    if (!improve(plane, count, local)) {
      break;
    }
  }
  for (var i = local; i < size; i += LANES) {
    products[own + begin + i] = productOf(rowAt(head, order[own + begin + i]), plane);
  }
  storageBarrier();
  // Those of the sample as they are compared later: a second sum might be rounded differently.
  for (var i = local; i < count; i += LANES) {
    values[i] = products[own + begin + memberOfPart(i, every, size)];
  }
  workgroupBarrier();
  let least = leastOf(count);
  for (var i = local; i < count; i += LANES) {
    let value = values[i];
    var rank = 0u;
    for (var first = 0u; first < count; first += AHEAD) {
      for (var step = 0u; step < AHEAD; step++) {
        let j = first + step;
        if (j < count) {
          let other = values[j];
          rank += select(0u, 1u, other < value || (other == value && j < i));
        }
      }
    }
    if (rank == least - 1u) {
      lowest = value;
    }
    if (rank == count - least - 1u) {
      highest = value;
    }
  }
  workgroupBarrier();
  return limitOf(middleOf(plane, local), lowest, highest);
}

// Brings members on the near side in front of the others, both in their old order, and returns where the node is cut.
fn separate(head: u32, begin: u32, size: u32, limit: f32, local: u32) -> u32 {
  let first = head * parameters.count + begin;
  // Each lane takes a run of members, so that one prefix sum tells where they go.
  let run = (size + LANES - 1u) / LANES;
  let start = min(local * run, size);
  let end = min(start + run, size);
  var nearCount = 0u;
  for (var i = start; i < end; i++) {
    nearCount += select(0u, 1u, products[first + i] <= limit);
  }
  let nearBelow = sumBelow(nearCount, local);
  let total = workgroupUniformLoad(&sumOfAll);
  if (total == 0u || total == size) {
    return begin + size / 2u;
  }
  var near = first + nearBelow;
  var far = first + total + start - nearBelow;
  for (var i = start; i < end; i++) {
    let member = order[first + i];
    if (products[first + i] <= limit) {
      moved[near] = member;
      near++;
    } else {
      moved[far] = member;
      far++;
    }
  }
  storageBarrier();
  for (var i = local; i < size; i += LANES) {
    order[first + i] = moved[first + i];
  }
  storageBarrier();
  return begin + total;
}

// A node per workgroup, and with `rest` all that is in it.
@compute @workgroup_size(LANES)
fn cutNodes(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let place = workgroup.x + workgroup.y * workgroups.x;
  let slots = parameters.slots;
  let head = place / slots;
  if (head >= parameters.heads) {
    return;
  }
  let parity = parameters.level % 2u;
  let slot = 4u * (parity * parameters.heads * slots + place);
  let found = agreeOn(vec4u(nodes[slot], nodes[slot + 1u], nodes[slot + 2u], nodes[slot + 3u]), local);
  if (found.w != parameters.level || found.y - found.x <= BLOCK) {
    return;
  }
  var node = found.xyz;
  var waits = 0u;
  loop {
    let begin = node.x;
    let end = node.y;
    let limit = aim(head, begin, end - begin, local);
    let cut = separate(head, begin, end - begin, limit, local);
    if (local == 0u) {
      enterCut(head, begin, end, cut, node.z);
    }
    let near = vec3u(begin, cut, 4u * cut + 2u);
    let far = vec3u(cut, end, 4u * cut + 3u);
    if (parameters.rest == 0u) {
      if (local == 0u) {
        wait(head, near);
        wait(head, far);
      }
      return;
    }
    let nearIsLarger = cut - begin > end - cut;
    let larger = select(far, near, nearIsLarger);
    let smaller = select(near, far, nearIsLarger);
    if (smaller.y - smaller.x > BLOCK) {
      if (local == 0u) {
        waiting[waits] = larger;
      }
      waits++;
      node = smaller;
    } else if (larger.y - larger.x > BLOCK) {
      node = larger;
    } else if (waits > 0u) {
      waits--;
      node = agreeOn(vec4u(waiting[waits], 0u), local).xyz;
    } else {
      return;
    }
  }
}

// Enters a node for the next level.
fn wait(head: u32, node: vec3u) {
  if (node.y - node.x > BLOCK) {
    let parity = (parameters.level + 1u) % 2u;
    let slot = 4u * ((parity * parameters.heads + head) * parameters.slots + node.x / BLOCK);
    nodes[slot] = node.x;
    nodes[slot + 1u] = node.y;
    nodes[slot + 2u] = node.z;
    nodes[slot + 3u] = parameters.level + 1u;
  }
}
