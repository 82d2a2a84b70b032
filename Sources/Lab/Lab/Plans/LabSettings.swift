// What a start is asked for, which the lab remembers: a start without words does the same again.

import Compositions

/// What a lab is made from.
public struct LabSettings: Equatable, Codable, Sendable {
  public var composition: Composition
  public var backend: BackendKind
  /// The directory with the product's programs, or nil for none.
  public var programs: String?
  /// What hosts of all roles begin as, if software was installed; nil for what the composition says.
  public var image: Image?

  public init(
    _ composition: Composition, backend: BackendKind = .namespaces, programs: String? = nil
  ) {
    self.composition = composition
    self.backend = backend
    self.programs = programs
  }
}
