// The compositions that the program brings with it: each is valid, whatever is chosen.

import Compositions
import Testing

@Suite("Shipped compositions")
struct ShippedTests {
  @Test("every shipped composition is valid with each backend and each set-up")
  func valid() throws {
    #expect(CompositionFile.shippedNames.contains("liburna"))
    for name in CompositionFile.shippedNames {
      let file = try CompositionFile.shipped(name)
      #expect(file.title == name)
      #expect(!file.about.isEmpty)
      for backend in BackendKind.allCases {
        for setups in [[]] + file.setups.map({ [$0.name] }) {
          let composition = try file.composition(setups: setups, backend: backend)
          #expect(!composition.hosts.isEmpty)
        }
      }
    }
  }
}
