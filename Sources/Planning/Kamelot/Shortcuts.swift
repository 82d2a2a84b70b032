// What makes searches short. The plan is the same without them; tests compare.

/// Which shortcuts a search takes.
package struct Shortcuts: Sendable {
  /// Requests for whole blocks are searched in blocks (`Grain`).
  package var usesGrains: Bool
  /// What searches have learnt bounds later ones (`EarliestStarts`).
  package var remembersStarts: Bool
  /// Starts that fail for the same reason as one that was tried are skipped.
  package var skipsStarts: Bool

  package static let all = Shortcuts(usesGrains: true, remembersStarts: true, skipsStarts: true)
  package static let none = Shortcuts(
    usesGrains: false, remembersStarts: false, skipsStarts: false)
}
