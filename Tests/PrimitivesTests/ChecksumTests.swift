import Primitives
import TestSupport
import Testing

@Suite struct ChecksumTests {
    /// The bytes over which the makers of XXH3 publish their known answers.
    static let sample: [UInt8] = {
        var state: UInt64 = 2_654_435_761
        return (0..<65_537).map { _ in
            defer { state &*= 11_400_714_785_074_694_797 }
            return UInt8(state >> 56)
        }
    }()

    // Each length stands for a branch of XXH3's code, and the last for its long form.
    @Test(
        arguments: [
            (0, [0x2D06_8005_38D3_94C2, 0xA8A6_B918_B2F0_364A, 0x4C09_3276_AE47_A555]),
            (1, [0xC44B_DFF4_074E_ECDB, 0x032B_E332_DD76_6EF8, 0x77B2_DF5F_F42A_AB88]),
            (3, [0x5424_7382_A8D6_B94D, 0x634B_8990_B497_6373, 0x7E33_E09C_7E77_55A2]),
            (4, [0xE5DC_74BC_5184_8A51, 0xAA2E_7ECC_B0C8_F747, 0x51F6_826B_893B_60FD]),
            (8, [0x24CC_C9AC_AA9F_65E4, 0x8F97_3410_999B_8F6B, 0xDE4A_4A72_27FF_7BC6]),
            (9, [0x14D5_001C_15DD_3F2B, 0xB3AE_7333_D901_3F60, 0xAB43_A9D7_B9BF_77A3]),
            (16, [0x981B_17D3_6C74_98C9, 0x663F_2933_3B4D_B6B1, 0xD0C2_5685_3EE7_44CA]),
            (17, [0x796F_5ACD_3A60_F862, 0xF3EC_5067_F430_6DB3, 0x4F9D_A46A_A933_C8C8]),
            (128, [0xFCFF_2412_6754_D861, 0x73FD_E752_8064_6649, 0xFBF5_7F65_C177_3FBF]),
            (129, [0x98F1_B0A6_79A2_CA29, 0x21FF_FDBC_A099_C844, 0x1C8B_C3FB_4257_6DF9]),
            (240, [0x81C3_C2B6_7F56_8CCF, 0xCC0F_58C2_7EF3_D8EE, 0x5687_13AA_176E_1657]),
            (241, [0xC5A6_39EC_D203_0E5E, 0xDDA9_B0A1_61D4_829A, 0x9926_B3F9_D1EC_2050]),
            (1024, [0xDD85_C9B5_C110_9C5C, 0xEF36_8A8A_2EBA_BAEF, 0xF6CA_4F01_56D3_5DE7]),
            (65_537, [0xE42D_29D5_D26C_06C2, 0x1819_A436_525C_E4D4, 0x5B7C_DFA6_CFEA_4C80]),
        ] as [(Int, [UInt64])]
    )
    func `the answers are XXH3's`(count: Int, answers: [UInt64]) {
        let bytes = Array(Self.sample.prefix(count))
        for (seed, answer) in zip([0, 0x9E37_79B1_85EB_CA8D, .max as UInt64], answers) {
            #expect(Checksum.of(bytes, seed: seed) == answer)
        }
    }

    @Test func `an empty buffer without an address has a checksum`() {
        #expect(Checksum.of(UnsafeRawBufferPointer(start: nil, count: 0)) == Checksum.of([]))
    }

    @Test func `a text has the checksum that the command line gives`() {
        let text = Array("The quick brown fox jumps over the lazy dog".utf8)
        #expect(Checksum.of(text) == 0xCE7D_19A5_418F_B365)
        #expect(Checksum.of(Array("a".utf8)) == 0xE6C6_32B6_1E96_4E1F)
    }

    @Test func `one changed bit changes the checksum`() {
        var random = SeededRandom(test: 7)
        for _ in 0..<2_000 {
            var bytes = random.bytes(1 + random.below(400))
            let before = Checksum.of(bytes, seed: 9)
            bytes[random.below(bytes.count)] ^= 1 << UInt8(random.below(8))
            #expect(Checksum.of(bytes, seed: 9) != before)
        }
    }

    @Test func `a fold is the checksum of both numbers in their order`() {
        #expect(Checksum.fold(1, 2) == 0x07EE_86C2_8144_6BEF)
        #expect(Checksum.fold(2, 1) != Checksum.fold(1, 2))
        #expect(Checksum.fold(0, 0) == Checksum.of([UInt8](repeating: 0, count: 16)))
    }
}
