// Random draws, the same for the same seed on every machine.

/// Draws of a part of a scenario: with dice of its own it changes no other part.
struct Dice {
  private var random: SeededGenerator

  init(seed: UInt64, for purpose: String) {
    let salt = purpose.utf8.reduce(UInt64(17)) { $0 &* 31 &+ UInt64($1) }
    random = SeededGenerator(seed: seed ^ (salt << 20))
  }

  mutating func number(_ range: ClosedRange<Int>) -> Int {
    Int.random(in: range, using: &random)
  }

  mutating func chance(_ percent: Int) -> Bool { number(1...100) <= percent }

  mutating func one<Element>(of choices: [Element]) -> Element {
    choices[number(0...choices.count - 1)]
  }

  mutating func shuffled<Element>(_ elements: [Element]) -> [Element] {
    elements.shuffled(using: &random)
  }
}
