// Sets of resources as bits, against sets of numbers.

import ClusterModel
import Testing

struct ResourceSetTests {
  @Test("set algebra agrees with sets of numbers, across words and for different capacities")
  func algebra() {
    var random = SeededGenerator(seed: 7)
    for _ in 0..<200 {
      let capacities = [Int.random(in: 1...200, using: &random), 130]
      let numbers = capacities.map { capacity in
        Set((0..<capacity).filter { _ in Bool.random(using: &random) })
      }
      let sets = zip(capacities, numbers).map { ResourceSet(capacity: $0, $1) }
      let fitting = numbers[1].filter { $0 < capacities[0] }
      #expect(Set(sets[0]) == numbers[0])
      #expect(sets[0].count == numbers[0].count)
      #expect(sets[0].first == numbers[0].min())
      #expect(Set(sets[0].union(sets[1])) == numbers[0].union(fitting))
      #expect(Set(sets[0].intersection(sets[1])) == numbers[0].intersection(numbers[1]))
      #expect(Set(sets[0].subtracting(sets[1])) == numbers[0].subtracting(numbers[1]))
      #expect(sets[0].isDisjoint(with: sets[1]) == numbers[0].isDisjoint(with: numbers[1]))
      #expect(sets[0].isSubset(of: sets[1]) == numbers[0].isSubset(of: numbers[1]))
    }
  }

  @Test("members are inserted and removed one by one, and what does not fit is ignored")
  func singleMembers() {
    var set = ResourceSet(capacity: 70)
    for member in [0, 63, 64, 69, 70, -1] { set.insert(member) }
    #expect(Array(set) == [0, 63, 64, 69])
    #expect(set.contains(64) && !set.contains(65) && !set.contains(70) && !set.contains(-1))
    set.remove(64)
    set.remove(500)
    #expect(Array(set) == [0, 63, 69])
    set.removeAll()
    #expect(set.isEmpty && set.first == nil)
    #expect(Array(ResourceSet.all(66)) == Array(0..<66))
    #expect(ResourceSet(capacity: 0).isEmpty)
  }

  @Test(
    "ranges are written and read back",
    arguments: ["", "0", "1-4,7", "0-63", "62-65,67-69", "1,3,5,69"])
  func rangesRoundTrip(text: String) throws {
    let set = try #require(ResourceSet(capacity: 70, ranges: text))
    #expect(set.description == text)
  }

  @Test(
    "malformed ranges are refused",
    arguments: [",", "1-", "-1", "4-1", "a", "1--3", "1,,2", "70", "1-70", "99999999999999999999"])
  func malformedRanges(text: String) {
    #expect(ResourceSet(capacity: 70, ranges: text) == nil)
  }
}

/// The same numbers for the same seed on every machine (SplitMix64).
private struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }
}
