// oar.conf as sites write it: quotes, comments, repetitions, bad values.

import ClusterModel
import Testing

@Suite("oar.conf") struct ConfigurationTests {
  @Test("values may be quoted, commented and repeated") func values() throws {
    let configuration = Configuration(
      parsing: """
        # a comment
        SERVER_HOSTNAME="server"
        PASSWORD="a#b"
        PORT=6668   # a number
        EMPTY=""
        SINGLE='x y'
        TWICE=1
        TWICE=2
          INDENTED="yes"
        not an assignment
        """)
    #expect(configuration["SERVER_HOSTNAME"] == "server")
    #expect(configuration["PASSWORD"] == "a#b")
    #expect(try configuration.integer("PORT", default: 0) == 6668)
    #expect(configuration["EMPTY"] == "")
    #expect(configuration["SINGLE"] == "x y")
    #expect(configuration["TWICE"] == "2")
    #expect(try configuration.flag("INDENTED", default: false))
    #expect(configuration["not an assignment"] == nil)
  }

  @Test("a value that can't be used is named with what is allowed") func badValues() {
    let configuration = Configuration(parsing: "PORT=many\nFLAG=perhaps\nBIG=70000")
    let error = #expect(throws: ConfigurationError.self) {
      try configuration.integer("PORT", default: 1, in: 1...65535)
    }
    #expect(
      error?.description == "PORT=\"many\" in oar.conf: it must be a whole number in 1...65535")
    #expect(throws: ConfigurationError.self) {
      try configuration.integer("BIG", default: 1, in: 1...65535)
    }
    #expect(throws: ConfigurationError.self) { try configuration.flag("FLAG", default: true) }
  }

  @Test("file name patterns know the job, its name and its place in the array") func patterns() {
    let text = resolveFilePattern(
      "%jobname%.%jobid%.%arrayid%-%arrayindex%.100%", job: 12, name: "n", arrayID: 10,
      arrayIndex: 3)
    #expect(text == "n.12.10-3.100%")
  }

  @Test("no state of a job leads back from the end") func states() {
    for state in JobState.allCases {
      #expect(state.isFinal == state.successors.isEmpty)
      #expect(!state.successors.contains(state))
    }
  }
}
