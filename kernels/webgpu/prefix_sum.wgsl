// Sums over the lanes of a workgroup in front of each.

override LANES: u32;

// So few lanes do not share the adding: barriers take longer than that.
const FEW = 8u;

var<workgroup> totals: array<u32, LANES>;
// The sum over all lanes of the last call of `sumBelow`, behind a barrier.
var<workgroup> sumOfAll: u32;

// Sum of the numbers that the lanes below this one give.
fn sumBelow(own: u32, local: u32) -> u32 {
  totals[local] = own;
  workgroupBarrier();
  var below = 0u;
  if (LANES <= FEW) {
    for (var lane = 0u; lane < local; lane++) {
      below += totals[lane];
    }
  } else {
    for (var distance = 1u; distance < LANES; distance *= 2u) {
      var further = 0u;
      if (local >= distance) {
        further = totals[local - distance];
      }
      workgroupBarrier();
      totals[local] += further;
      workgroupBarrier();
    }
    below = totals[local] - own;
  }
  if (local == LANES - 1u) {
    sumOfAll = below + own;
  }
  return below;
}
