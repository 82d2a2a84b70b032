// The compositions of tests: the shipped ones, at the size that a test needs.

import Compositions

extension Composition {
  /// A server, a frontend and nodes with nothing on them but what every host has.
  static func plain(nodes: Int) -> Composition { shipped("plain", nodes: nodes) }

  static func liburna(nodes: Int) -> Composition { shipped("liburna", nodes: nodes) }

  private static func shipped(_ name: String, nodes: Int) -> Composition {
    do {
      return try CompositionFile.shipped(name).composition(nodes: nodes)
    } catch {
      preconditionFailure("\(error)")
    }
  }
}
