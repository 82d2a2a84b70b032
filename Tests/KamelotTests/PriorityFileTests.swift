// The file with the weights of multifactor priority.

import Kamelot
import Testing

private func error(in text: String) -> PriorityFileError? {
  do throws(PriorityFileError) {
    _ = try Multifactor(parsing: text)
    return nil
  } catch {
    return error
  }
}

struct PriorityFileTests {
  @Test("every key is understood")
  func everyKey() throws {
    let settings = try Multifactor(
      parsing: """
        ---
        # Weights of the site
        age_weight: 2       # two
        age_coef: 1.65e-6
        queue_weight: 1.5
        queue_coefs:
          default: 2
          "admin": 10

          'besteffort': -0.5
        work_weight: 3
        work_mode: 1
        size_weight: 4
        size_mode: 0
        karma_weight: 5
        qos_weight: 6
        nice_weight: -7
        """)
    #expect(
      settings.weights
        == [.age: 2, .queue: 1.5, .work: 3, .size: 4, .karma: 5, .qos: 6, .nice: -7])
    #expect(settings.agePerSecond == 1.65e-6)
    #expect(settings.queueCoefficients == ["default": 2, "admin": 10, "besteffort": -0.5])
    #expect(settings.workPreference == .big)
    #expect(settings.sizePreference == .small)
  }

  @Test("what is not set has OAR's defaults")
  func defaults() throws {
    for text in ["", "\n\n# nothing\n", "---\r\n", "queue_coefs:\n", "queue_coefs: {}"] {
      let settings = try Multifactor(parsing: text)
      #expect(settings.weights.isEmpty)
      #expect(settings.agePerSecond == 1.65e-6)
      #expect(settings.queueCoefficients.isEmpty)
      #expect(settings.workPreference == .small)
    }
  }

  @Test(
    "what can't be used is refused with its line and key",
    arguments: [
      ("age_weight: 1\nages_weight: 1", 2, "ages_weight"),
      ("age_weight: heavy", 1, "age_weight"),
      ("age_weight:", 1, "age_weight"),
      ("age_weight: nan", 1, "age_weight"),
      ("age_weight: 0x10", 1, "age_weight"),
      ("age_weight: inf", 1, "age_weight"),
      ("age_weight: 1e999", 1, "age_weight"),
      ("age_coef: -1", 1, "age_coef"),
      ("work_mode: 2", 1, "work_mode"),
      ("size_mode: small", 1, "size_mode"),
      ("\n\nqos_weight: 1\nqos_weight: 2", 4, "qos_weight"),
      ("queue_coefs: 3", 1, "queue_coefs"),
      ("queue_coefs: {default: 1}", 1, "queue_coefs"),
      ("queue_coefs:\n  default: much", 2, "queue_coefs.default"),
      ("queue_coefs:\n  default: 1\n  default: 2", 3, "queue_coefs.default"),
      ("queue_coefs:\n  default: 1\n    admin: 2", 3, "admin"),
      ("age_weight: 1\n  default: 1", 2, "default"),
      ("queue_coefs:\n  default: 1\nage_weight: 1\n  admin: 1", 4, "admin"),
      ("age_weight 1", 1, ""),
      (": 1", 1, ""),
      ("- age_weight: 1", 1, ""),
      ("queue_coefs:\n\tdefault: 1", 2, "default"),
    ])
  func refused(text: String, line: Int, key: String) {
    let found = error(in: text)
    #expect(found?.line == line)
    #expect(found?.key == key)
  }

  @Test("an error says what is known, or which value is wrong and what is allowed")
  func messages() {
    #expect(
      error(in: "age_wait: 1")?.description
        == "line 1, key \"age_wait\": is not known; known are age_coef, queue_coefs, work_mode, "
        + "size_mode and age_weight, queue_weight, work_weight, size_weight, karma_weight, "
        + "qos_weight, nice_weight")
    #expect(
      error(in: "work_mode: 7")?.description
        == "line 1, key \"work_mode\": the value \"7\" must be 0 (small jobs first) or 1 (big jobs "
        + "first)")
    #expect(
      error(in: "hello")?.description == "line 1: \"hello\" must have the form `key: number`")
  }
}
