// The polynomials of optimized/functions.h, lowest power first: written by polynomials.py beside this
// file, which says what each is nearest to.
#pragma once

namespace plumb {

// e^r = 1 + r + r^2 q(r), |r| <= ln 2 / 2: error 2^-60.31
inline constexpr double kExp[] = {0x1.0000000000000p-1,  0x1.5555555555559p-3,  0x1.555555555555bp-5,
                                  0x1.111111110f6abp-7,  0x1.6c16c16c14272p-10, 0x1.a01a01afe9f2bp-13,
                                  0x1.a01a01b14b12fp-16, 0x1.71ddf83efd422p-19, 0x1.27e4c46a60156p-22,
                                  0x1.af5ef104a4951p-26, 0x1.1f9735f4b3560p-29};
// e^r = 1 + r + r^2 q(r), |r| <= ln 2 / 2: error 2^-43.5
inline constexpr double kExpNarrow[] = {0x1.fffffffff737fp-2,  0x1.555555554fb2fp-3,  0x1.5555557418afbp-5,
                                        0x1.11111128b93afp-7,  0x1.6c164de969f4ap-10, 0x1.a01981719e1b8p-13,
                                        0x1.a15a834637b7ep-16, 0x1.72f6b7529b4d6p-19};
// 2 atanh(s) = 2 s + s z q(z), z = s^2: error 2^-59.66
inline constexpr double kLog[] = {0x1.5555555555555p-1, 0x1.999999999998fp-2, 0x1.24924924938d6p-2,
                                  0x1.c71c71c4d022dp-3, 0x1.745d187223b01p-3, 0x1.3b135503e9b5ep-3,
                                  0x1.11226f83afcdfp-3, 0x1.ddf7012925369p-4, 0x1.eccc2e27966a3p-4};
// 2 atanh(s) = 2 s + s z q(z), z = s^2: error 2^-51.18
inline constexpr double kLogNarrow[] = {0x1.5555555553a84p-1, 0x1.999999a25ff3ep-2, 0x1.249241914b9d0p-2,
                                        0x1.c7226ca6ea59bp-3, 0x1.732d52ad75861p-3, 0x1.586be9eac0ca9p-3};
// sin r = r + r z q(z), z = r^2, |r| <= pi / 4: error 2^-57.33
inline constexpr double kSin[] = {-0x1.5555555555555p-3, 0x1.111111111110bp-7,   -0x1.a01a01a018af6p-13,
                                  0x1.71de3a5339fdep-19, -0x1.ae645298149cbp-26, 0x1.61209223997efp-33,
                                  -0x1.aaa4d0cd65494p-41};
// sin r = r + r z q(z), z = r^2, |r| <= pi / 4: error 2^-47.55
inline constexpr double kSinNarrow[] = {-0x1.555555555244ep-3, 0x1.1111110ca4787p-7, -0x1.a019f95a23865p-13,
                                        0x1.71d77ba30e715p-19, -0x1.a9661aa6e6e79p-26};
// cos r = 1 - z / 2 + z^2 q(z), z = r^2: error 2^-60.0
inline constexpr double kCos[] = {0x1.5555555555555p-5,   -0x1.6c16c16c16c10p-10, 0x1.a01a01a018dc5p-16,
                                  -0x1.27e4fb75fae1cp-22, 0x1.1eed8ca0a7c36p-29,  -0x1.939334bf17410p-37,
                                  0x1.aac40e3a5a55ep-45};
// cos r = 1 - z / 2 + z^2 q(z), z = r^2: error 2^-53.49
inline constexpr double kCosNarrow[] = {0x1.55555555530c3p-5, -0x1.6c16c16763005p-10, 0x1.a019faa06f23bp-16,
                                        -0x1.27e025e13fe8dp-22, 0x1.1bc63bed08f4bp-29};
// sinh r = r + r z q(z), z = r^2, |r| <= ln 2 / 2: error 2^-59.65
inline constexpr double kSinh[] = {0x1.5555555555555p-3,  0x1.1111111111113p-7,  0x1.a01a01a018814p-13,
                                   0x1.71de3a5eb8e25p-19, 0x1.ae641c4da89dap-26, 0x1.61d771910c56cp-33};
// sinh r = r + r z q(z), z = r^2, |r| <= ln 2 / 2: error 2^-49.32
inline constexpr double kSinhNarrow[] = {0x1.55555555521e7p-3, 0x1.1111112152d79p-7, 0x1.a0199b7f38cc1p-13,
                                         0x1.72dae03a1f08bp-19};
// cosh r = 1 + z q(z), z = r^2: error 2^-64.73
inline constexpr double kCosh[] = {0x1.0000000000000p-1,  0x1.555555555555cp-5,  0x1.6c16c16c13f0ap-10,
                                   0x1.a01a01b18a2c7p-16, 0x1.27e4c4e69cb03p-22, 0x1.1f9573bc96745p-29};
// cosh r = 1 + z q(z), z = r^2: error 2^-45.86
inline constexpr double kCoshNarrow[] = {0x1.ffffffffee54ap-2, 0x1.5555558208d6ep-5, 0x1.6c1634fc5364bp-10,
                                         0x1.a17571abf28b4p-16};
// atan t = t + t z q(z), z = t^2, |t| <= tan(pi / 8): error 2^-57.81
inline constexpr double kAtan[] = {-0x1.5555555555555p-2, 0x1.99999999996fap-3,  -0x1.2492492479b2bp-3,
                                   0x1.c71c71b90577ep-4,  -0x1.745d14ef3ec19p-4, 0x1.3b137250ac9c8p-4,
                                   -0x1.110ca91b84266p-4, 0x1.e175bd47386e6p-5,  -0x1.ab9362e298ed3p-5,
                                   0x1.713eddb4a54b3p-5,  -0x1.12e71b74af89cp-5, 0x1.f47e62815be3bp-7};
// the same, |t| <= 1: error 2^-41.95
inline constexpr double kAtanWholeNarrow[] = {
    -0x1.555555543f5b6p-2, 0x1.999998c3fa735p-3,  -0x1.24922cafb85ffp-3,  0x1.c7189d7f5afb2p-4,  -0x1.7435cc9a43ad7p-4,
    0x1.3a0c340ad9ac4p-4,  -0x1.0c48a99da7310p-4, 0x1.c1d176ca31d62p-5,   -0x1.5f4176313783dp-5, 0x1.dc4514c0cbf91p-6,
    -0x1.02689feda8b77p-6, 0x1.9805666391ae1p-8,  -0x1.987f150523f57p-10, 0x1.80a8c9bf25f98p-13};
// asin t = t + t z q(z), z = t^2, |t| <= 1/2: error 2^-57.92
inline constexpr double kAsin[] = {
    0x1.5555555555570p-3, 0x1.333333332ece8p-4,  0x1.6db6db71a2c3fp-5, 0x1.f1c71ab7d47a8p-6, 0x1.6e8bdb9685e34p-6,
    0x1.1c4a23eb92f77p-6, 0x1.ca1b46f2a3a0cp-7,  0x1.75a4db1bc91ddp-7, 0x1.609dfb027083fp-7, 0x1.ee79c41d944c6p-9,
    0x1.613d48cd959b2p-6, -0x1.54e69e4bffd7bp-6, 0x1.0a621d30626acp-5};
// asin t = t + t z q(z), z = t^2, |t| <= 1/2: error 2^-43.83
inline constexpr double kAsinNarrow[] = {0x1.55555556405d1p-3, 0x1.33333205a2aeep-4,  0x1.6db75d7de1e04p-5,
                                         0x1.f1abfac536ef7p-6, 0x1.7020b99b522aep-6,  0x1.0e3c631d81f8ap-6,
                                         0x1.3042ea213904bp-6, -0x1.66e695b489fb6p-9, 0x1.04fb7ab276fafp-5};
// erf x = x + x q(z), z = x^2, |x| <= 1: error 2^-56.16
inline constexpr double kErf[] = {0x1.06eba8214db69p-3,   -0x1.812746b0379e7p-2,  0x1.ce2f21a042be2p-4,
                                  -0x1.b82ce31288b47p-6,  0x1.565bcd0e6a2f8p-8,   -0x1.c02db40036187p-11,
                                  0x1.f9a326f7b297bp-14,  -0x1.f4d25bfa5e4e8p-17, 0x1.b9e6c39bc5d68p-20,
                                  -0x1.5f73c4780c550p-23, 0x1.fcbb3f27583a5p-27,  -0x1.517d3d1d2ea47p-30,
                                  0x1.9a12f2fcf63abp-34,  -0x1.b41e9f8ebbc13p-38, 0x1.3c26defb494a7p-42};
// erf x = x + x q(z), z = x^2, |x| <= 1: error 2^-40.19
inline constexpr double kErfNarrow[] = {0x1.06eba82146af2p-3,  -0x1.812746adf8553p-2,  0x1.ce2f20adfb924p-4,
                                        -0x1.b82cbbbdf6ebfp-6, 0x1.5658985671482p-8,   -0x1.bfe2387aa0a02p-11,
                                        0x1.f586dd65e7c5bp-14, -0x1.d2e0e285afb64p-17, 0x1.1c92b153c0c62p-20};
// erfc x = e^(q(x - 3) - x^2), 1 <= x <= 6 (binary32: 1 <= x <= 4): error 2^-56.84
inline constexpr double kErfc[] = {
    -0x1.b869b65a8e530p+0,  -0x1.370b35013ba64p-2,  0x1.5d06cc9bd05a6p-5,   -0x1.e5bee8dd079c3p-8,
    0x1.62c3204ad40abp-10,  -0x1.01a07addc4c58p-12, 0x1.696570f996e9ep-15,  -0x1.dd82c6b76a9a8p-18,
    0x1.1f0fd956e8c1dp-20,  -0x1.246f338eac9ddp-23, 0x1.89cdb05b5b817p-27,  0x1.5be3a26893a8fp-31,
    -0x1.504436e82ea31p-31, 0x1.9ff7393f74e7ap-33,  -0x1.7d322844e5a90p-35, 0x1.31f446668fb38p-37,
    -0x1.b1edb83f2f88bp-40, 0x1.8ed9aaf8b8fc9p-44,  0x1.494fc4c4f4266p-47,  0x1.63ee6395bb0bbp-47,
    0x1.00c8f4c42ce16p-49,  -0x1.9fced88bf2ad0p-50, 0x1.7a5d8521c16b8p-55};
// erfc x = e^(q(x - 3) - x^2), 1 <= x <= 6 (binary32: 1 <= x <= 4): error 2^-42.87
inline constexpr double kErfcNarrow[] = {-0x1.b869b642b101dp+0, -0x1.370b32bf43ce8p-2,  0x1.5d06aca65e684p-5,
                                         -0x1.e5cb280c940c6p-8, 0x1.624fc9c4f99ffp-10,  -0x1.02e9aec6fb2d2p-12,
                                         0x1.75b75b0869a27p-15, -0x1.b2aa81f513ea7p-19, 0x1.4021bff155765p-18,
                                         0x1.df5cfcaa4c4aap-20, 0x1.2d769e8f17d1bp-21,  0x1.36b3091e9af88p-24};
// erfinv x = x (sqrt(pi) / 2 + w q(w - 2.5)), w = -log(1 - x^2) <= 5: error 2^-58.92
inline constexpr double kErfinvMiddle[] = {
    0x1.f7f51afdae3fep-3,   0x1.dbe4239db55ffp-13,  -0x1.cdd16cffaf49cp-10, 0x1.aaf86340f9782p-13,
    0x1.89643bcf3a6fcp-18,  -0x1.2378174ddfec2p-18, 0x1.8df9af6a80295p-22,  0x1.735dc3758c260p-25,
    -0x1.99c970eaf4b91p-27, 0x1.d47aa129ef1b6p-32,  0x1.a74a2a0563868p-33,  -0x1.006e83b369d0cp-35,
    -0x1.b718a4bb43feep-41, 0x1.7cd90d6337c13p-41,  -0x1.fb7dc3b33893dp-45, -0x1.1c1f3874461cep-47,
    0x1.202cd0ac02891p-49,  -0x1.a8b41fca11d1dp-55, -0x1.4b97c591fb61fp-55, 0x1.357eef8637defp-58,
    0x1.3b81c8f2c11b9p-62,  -0x1.5b45d020d805bp-64, 0x1.6a57decf1339dp-69};
// erfinv x = x (sqrt(pi) / 2 + w q(w - 2.5)), w = -log(1 - x^2) <= 5: error 2^-43.56
inline constexpr double kErfinvMiddleNarrow[] = {
    0x1.f7f51afdae100p-3,   0x1.dbe42394161a0p-13,  -0x1.cdd16cfd3d050p-10, 0x1.aaf86386febb4p-13,
    0x1.8964318009028p-18,  -0x1.2378296a27983p-18, 0x1.8dfab43891ac7p-22,  0x1.7365eac41bda4p-25,
    -0x1.99e27d725c5fbp-27, 0x1.d29d27fa7c6d0p-32,  0x1.a9e430e6dd2afp-33,  -0x1.f99d2b565d240p-36,
    -0x1.28b25b4d30edap-40, 0x1.607ecbfc17077p-41,  -0x1.8f01f6ff0f739p-46, -0x1.936f68a80fb94p-48};
// erfinv x = x q(s - 3), s = sqrt(w), 5 <= w <= 17: error 2^-53.83
inline constexpr double kErfinvTail[] = {
    0x1.6a9efbd66eae6p+1,   0x1.006dca7a9c22ap+0,   0x1.3582c8114bb06p-7,   -0x1.f4f1c6f0c039bp-8,
    0x1.7495888ed2813p-8,   -0x1.d2754fd240b76p-9,  0x1.84f3ed5ced2d0p-10,  -0x1.38430fa381604p-13,
    -0x1.28e09d84efd7ep-12, 0x1.aeffe0bf7b6e6p-13,  -0x1.85bdc9b63f842p-15, -0x1.7fbec6232e7e1p-16,
    0x1.70055b04deba9p-16,  -0x1.8f2bf1b01f55fp-18, -0x1.bc46688cc4fddp-20, 0x1.0c8c4d58f0cd3p-19,
    -0x1.57bb43a705b96p-21, -0x1.5a6b344008be2p-24, 0x1.5fc4476182ff4p-23,  -0x1.0faacf06e8989p-24,
    -0x1.1d16bfd08f12cp-31, 0x1.69be885749825p-27,  -0x1.1febbd83a034ep-28, 0x1.3fc68236676dfp-31};
// erfinv x = x q(s - 3), s = sqrt(w), 5 <= w <= 17: error 2^-39.47
inline constexpr double kErfinvTailNarrow[] = {
    0x1.6a9efbd66cdd3p+1,   0x1.006dca7aba79ap+0,   0x1.3582c929aa625p-7,   -0x1.f4f1ccf141481p-8,
    0x1.74955289a97f0p-8,   -0x1.d2748aa6ca989p-9,  0x1.84fb9ecfa8932p-10,  -0x1.38a4b0aca9f77p-13,
    -0x1.29635822f687dp-12, 0x1.b0a44542c070dp-13,  -0x1.7d541c7a2d9a2p-15, -0x1.9f250bb1c9dbfp-16,
    0x1.627e415af6832p-16,  -0x1.e1cf8d2a909d3p-19, -0x1.fe6cad82a6252p-20, 0x1.7e0a74c122491p-21};
// erfinv x = x q(s - 5), 17 <= w <= 36.1: error 2^-54.95
inline constexpr double kErfinvFar[] = {
    0x1.3664ddd1ad7fbp+2,  0x1.02a30d1fba10bp+0,   -0x1.22ea5df1c88c5p-13, -0x1.c2f36aa156cbcp-13,
    0x1.3ebf4efa50881p-14, -0x1.4a349045a5118p-16, 0x1.2fbcfe1aef973p-18,  -0x1.0a903379a5754p-20,
    0x1.ebe2aed48584dp-23, -0x1.2238360d44c77p-24, 0x1.f2951fd7e3fcdp-26,  -0x1.056926d8ac183p-26,
    0x1.0c8efc4e4332ap-27, -0x1.e50d48ae0276ep-29, 0x1.6b79785b1810ep-30,  -0x1.a91aa61da5c28p-32,
    0x1.20155ab735ce5p-34, 0x1.45af53a4f189dp-36,  -0x1.5362817a6b694p-36, 0x1.55a906a5d57f7p-38};
// the same as for Exp, in binary32: error 2^-31.96
inline constexpr double kExpFloat[] = {0x1.00000027d5ed7p-1, 0x1.5555558a9ab59p-3,  0x1.5554adab9e33fp-5,
                                       0x1.11108d2d3d750p-7, 0x1.6d74d0f0ec540p-10, 0x1.a1a4c2955505dp-13};
// log(1 + f) = f - f^2 / 2 + f^3 q(f), 1 + f from sqrt(1/2) to sqrt(2): error 2^-30.32
inline constexpr double kLogFloat[] = {0x1.555545f672f88p-2,  -0x1.ffffed8e8d1f3p-3, 0x1.99a54d79147d9p-3,
                                       -0x1.556302489ccb1p-3, 0x1.2331e03e7b9a0p-3,  -0x1.fb3d78c264f80p-4,
                                       0x1.e65bbbca042cbp-4,  -0x1.e312f48410ba7p-4, 0x1.1b56dfa4d0543p-4};
// atanh(s) = s + s z (1/3 + z q(z)), z = s^2: error 2^-66.52
inline constexpr double kPower[] = {0x1.999999999999ap-3, 0x1.2492492492492p-3, 0x1.c71c71c71c721p-4,
                                    0x1.745d1745d12b7p-4, 0x1.3b13b13b427b2p-4, 0x1.111110fd8d769p-4,
                                    0x1.e1e1eccd16f9cp-5, 0x1.af265acadf799p-5, 0x1.865b222f75f46p-5,
                                    0x1.5ecfc02f63f2dp-5, 0x1.868a7fb4cf37fp-5};

}  // namespace plumb
