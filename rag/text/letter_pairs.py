"""The hundred most common pairs of letters of 53 languages, and the most common Chinese characters.

Knows no text. Pairs: counted in Wikipedia by the detector langdetect, or, of languages it lacks, in the Universal Declaration of
Human Rights; those of Latin letters without accents. Characters: the 400 most common ones in the word list of jieba, with their
traditional forms. NOTICE names the sources.
"""

from __future__ import annotations

# script: language: its pairs, one after another, the most common first
PAIRS: dict[str, dict[str, str]] = {
    "Latin": {
        "af": "ieandierenintedeaastisgevaseelesoroondeeriaratreleonetwaallimengitastabenskelaikrosikaraekuiwerdnahe"
        "ntvenenirsoeeiedtotioligomurmaskusidgremkoadopamdavisovowotrrtpeafnoeuottsprofillofrhoosebmisaruegha",
        "ca": "deeseneleranlaaltarentunarraatcinarionorcasticiateitincolemenisequammapetilitrueispasillomrodivalsac"
        "addancneolnsrtprsaegosponotutourtsasiluaetmbfopinyembavemilogiiobrusipsoviidirocndctceechamumoguimga",
        "cs": "stjeroovchennaskerpoteraleanhokoinouodlaicprlototalinenoticeossealatemorvaelveedobolniarckkaesondnme"
        "dotrktrivodereaditsozeisakavkumomaetmiasecpakyamrubobyvivyejomotntozilzndizatuokacnsslvnevdaciikylsp",
        "cy": "ynddydanedwythaearlldiodiaoleiaderchdaauaiymcyweenmaranielonhariyrhygaetnelainnngyiogwlewndonayfdeng"
        "idrofelinoorysaloererhgodyafntywfffoheefeslyamfahoiratunawacdrsteusiitfycanyigifwailsybybowrishwryyl",
        "da": "erendeetanstretendorinleskelgetinemeogedarliriveomesngkeilisalsensigforaatllbeafonlasotaunrohaniolka"
        "simaamtrkorsdantikemnadsvihelsfrieiommtodtvarurtrdidpritsaldrndievblmirkudpeegagkraslousgravbaspnoho",
        "de": "erendechineististeiendheanunscgeneesrebeonallingdielitaulearicriseorntmeratisiatlausemtartethaurnani"
        "asvomawensmiamveimrollilssrdtsrsdaigtrzehrwaegutkaoleuwibaiolthikegrehrutonnzuhtrnumspacrgsatupradls",
        "en": "thinheaneronisorreteatndarstalenestiofedasitriicntrongracolesetoiomelalidenemachcaeanaoutaveelsiomia"
        "unwanicehihallamildifotrbeusurolhortlopesogeprnsecnoshctetpaieacrsnccimilyemiradpovibarnmossutaifibo",
        "es": "deeneslaelerancintcorarearunalnaorosontetaadricastasdoinueictorodaialotimaponopaacselitrisleiomeidie"
        "disiomneniitamquncpendprsartmieccemoilolviatbrsosuurlltuemocbacuegchhauaedimvespfugabimuabmbnsgugius",
        "et": "stisseonlialinasusteestaelaajarimianmalenivaneooikeelaatsiarerkaentindilranatukosakuitdeolidiimedaad"
        "suudkeettsdiksreimamllakoremgaheuuulnnngekiagidukiunurosutairogutoedntluveloavgeeihanuvipairahegiglt",
        "fi": "eninistaanonstalsikasalilaseaijateitelllaatttivanemassrietaseseroikitumiiluokuartokonaoljousleiiniat"
        "ntuniklunnoseemerauuiakeimkseiutoksudeuliepatyviloakomotnskkoramauukpehevupimuhtroltiriorehaskurnkno",
        "fr": "esdeleenanonrentstlaisunnetiinteareritraurouriieaietalcomequseioatoruenspaliilrollsitatraumaeuomceem"
        "elrtchdudananipoprndsovediuicaicusncirssvilonomipecinnuttoiqsaamoiolmoasharsgetusufrctachemmgiecbrba",
        "hr": "jenaankorastijniskinnorienlikajaodtaojpolamaalvaroretineorarerovdiprtoatkiomnjavimjimeseviiselljoste"
        "ikvedaonasziogiledvoadzacijuicloizsaemamihleruetpatrolgokeajgresitcaazdnakezkuokbisunsekdrivacdoobmo",
        "hu": "szelenaleretangyleegtetameakarorlaatzereazesbanybeneolinramaosekonlyvetonattrontrtagikrieziskesaltcs"
        "hativayekoemkalllindozztamseasdaokkidemiaiusadiahezaomlostsoilgayaniotgefezijedifojaithoulajssidpasi",
        "id": "anngdaerlataahalardikaenatrainyaseadmasasirigapameteasbaamunakiapenabeiskebulitutintikonesemelniuand"
        "haebdeaiillejaukruitneornyurkorostussuolreauetwautupmuagircamiimrtulapabekpugilukumbumkiggdoprdumpot",
        "it": "eldineondelatoinaneraltallcoatrentenriterauntiioaritlistleoriacaicnaessinoilrosettmenicidamatrisolom"
        "prpachpegietlosocepoaszindssrtheimncmivevimoieamscosegsauatudopisufibivaagecuremazivedglutopmuotquov",
        "lt": "inasosriisnialailiraiatitakaarauieanenussiijvastmapaiojoirvinantikmoerjekiojtoametlauourimdidarokoon"
        "tejamitumeeiatpigaprsanooritesbaakkunetrseeliureilsuapavnkgiidvociomndoladlelonuvedeklokrtrueknguvdo",
        "lv": "asiestkaarisirjarataijenviaitilariatalanvanodaespaerlisauninmaemgaaunaskniroumkutrcitotuekonpietteko"
        "urmeordzelziizusotikdibamireruamadiltsositidventeideolnejunsapsilelsksrsloodbiimakpredzemuktomkrspaj",
        "nl": "endeeraneeinteisaageelhestetvaonmeorariendserintchlareatalooijliitnelebeemroesdiranstauitimavengrdrs"
        "amsctsnaweedvoketortasniicopwahapeilwoegoluroeomeitrpaiousigkadossakdaplhoouktgihivilllocoltidekzino",
        "no": "erendeetteanstreorinneleelskomarogmelisendgevekeistiesngalriralallnsonavsoilfoeduntannttntigatkartha"
        "sikoikrorsolvabenitrnoasnatomaitrdamvipemmjeblprfrsarulsdajoheloidekusssieegsjrkutgremktbaeidimitslt",
        "pl": "ieninaowpostanwichkiskmiroraczrzzeareroniaodinejwatacikoenornekanydztozaolpregwoliacyczyrejegoecszic"
        "alteleatwylacedoesosimnosimaastyemeladznajtrzipaisdaokedweioamrytwdnawcaurdesccjkrlsewjaekkuomcywsmo",
        "pt": "dedoesdaenracoanteadmantosreerorumtastnaasalriinariacanoroomontociicissepoemidmendlitrtiitpalaamsini"
        "ceuneliohadipeatprloqurtnclensireisaueilegmimoolsoveabfotuaigussbruaneuloumuursuvagietivimecvioieaba",
        "ro": "terestinderiarulatalanerorunesledirantnicaiciaenitieeatitalatrlioncemaroelcolunecuprpeommeillotuurna"
        "toruisseuiciiinumindolpaeceifoacsiimospoiuemsamuauiortscasfisuocumveamoautnoncetvidansctgipuaiopadbr",
        "sk": "ovstjetoennachroanprpoorskiekoranereerhoriomalnimenoinloialelavaveodtetiejvoicoltredtaokliosatboesob"
        "kaarktckdocimiaddeasavkuelsaajondnvimaetitouismoamakslnsemkrkeebntdiceotzakyozpaekspseilvyikrusodaac",
        "sl": "jenanianinrastenskpokikoovnolivealreprjarikaneijtaelsemearoderlotelaemleortitoljvaroetkeosavikatedma"
        "dapavioladildegaimnsasnjdiihonajeszaobisegizvotrevomvnitjiotbiupsldosogomojojuekicirciokdrmidnamspce",
        "so": "aaaddaanwakaooalmahaaylaareegaahaxiiyabaxaiynatasarauuindhabagisamaslikucaeyshsoyodiidirhisiriloilbi"
        "lemiqaedigomlknkgudeerobheynolrebontacurgoelhotiaqordobekiunegniduugjiulrkmeweafdkyitostonxuqoxenoen",
        "sq": "shitarrietinhehttiteandhreorraerisndlimejeenvesiatmitaonimesnjurkonialkagjikdimarostllngasgapajatotu"
        "kuillauanelevintsetrdeipprhiianaelpooscibahakelorrajfiekthdoevpertakolqihkunjiomkrammbsaadsoemhuulio",
        "sv": "eneranardestinetteskrerandritilaomtakallelchngocnsoratalttliisonmenasoillegevevaesadmaamavnibersunse"
        "ednesahaoldaroigiktonttrassipeitkokegaviktfrnortusrnckheioidieemprssddnnspdigrsvruutaglsrdrkurmitslo",
        "sw": "wakaanniyanaatiktalijiinlaakilmatihiiakukiarenhaisamalzishsarizachpanymwkwmbhumungbamofakoaoseyoapaz"
        "bumjibndunumraayaisiwiasmknziydinsimujtoioofyimieroareondakeusmelebojaadutgaituuoruwnenculheruokekab",
        "tl": "ngannasalainaykaalgapaatonmataagisasbailarliyaitpiraamhasititounyoniakriikulnoenawerahmgabapesdaipre"
        "bihilestwaroloigsediorluntiysykomitegisondpuadolootupokiaamunsosimurumwielneiadokuusbuaoglibsutrmepe",
        "tr": "anarlainerleirennddedayarirailalmalitabisidiveolakeltekanitineesasmenaresaetayekonkibaamatikisunadul"
        "stmiyeurorlugehalmeyedsebuiynlllkuimemkeklrlrurkrdbeitcaroizusidktzeapparttoazhicencnugintvakoahyold",
        "vi": "ngthnhtrchanonhuphroinhiloerarnalaharatienbihoriquamkhcahealiaesbadauygiilneunortelidiruaeidmareleis"
        "aivindstllntmidetacoelniickisaurasustosiataomeitayauacseieoadonooloupaceeapegacibeomeomoosgetuvueigu",
    },
    "Cyrillic": {
        "bg": "наниенрасттааттоантерисккаияотрелиноитвакиинкопрарпоореровротиелвеалолсеетедмалеоннезаиздиикмевоодла"
        "лоисдеавосвициесдаастрилнсадърмигаиегогрсидочеобимевсъичемятсаокпаамезкртвазнтакекомълирпемолнайзиръ",
        "mk": "нааттанивострајаоткотетоодкаенанскриварекилиинитпосеијнотиропроваретероредисмаалделееллаонвеилмеојви"
        "осолдозацииосодигоакавувикнелоадекнсгремдатрмиеспабиимиззиасднмоирруичазомајштврокамопивсиевгантогдр",
        "ru": "странаноникоенроансковергоородретооспоталилькапрныритеолалинвовакилеесомойелтионвеогетармеатисийитне"
        "далоотланниясодетрасмамиавчеаядиииедемикизиеобтвилвиимцисеыйпезаамрудоичмоевазлясибоссакейнспаекьнок",
        "uk": "настенаннікоратанонироонтиераловькліосрегольвіарогорняомціннкидевасьийідвитопозаатихтепадотуміівінка"
        "риавпраслеикисодоледпеламедічннсіонтводаамверііїнцкімасеинителітфртрьнмулоетнесіектьійічньпіоїоюісли",
        "kk": "ардатанеыніндеанықалғамеенлыбақақыамаснатындердыылқұлакеадұқрынысыетқттіекемолрабодіайәрттәнтеғыжәат"
        "ыңелгестліірауілжаесрігіікбісаығрдапуғыруылеөзмаімлуоссекіегсіысніағберуісқоыпіңізыммдзізаортиреейлд",
        "ky": "анарукнадаууалтаенжаынктгалуинндамкабинекуаттудыиррдолкеүнмедиадраыкугбаерлаттдебоүүрырктимаунгиылки"
        "айиктеулстилнылгишкытыргжееклдлыгоооийтүсаэркоөзашакыретгөрионлеоруртььялиушсымдцинунүйигеторүшуүгес",
        "mn": "ийэрараагархолүнхүантэлаэналүйхааййггэулниээахлэөөууйнүүдэбоагорэйэхбүэгөрэлүрйллобаонндхэамхиөлсаэд"
        "үлдаталгзүнэилгүлөрглдваторихтзаэсохбуадрауроолидуэмтулссэынрэхохуроавинугаснагогдмэшитөөнчөныөгдлрл",
        "tt": "арләлаәренгаешанһәклргынлыернеалеләмкеталекушекаукокходәәндагәберыренаатрабуулеңтитәыртетоексттькыны"
        "гендирсенәбаәтакитезтыүзормәнигыыкинасилышрәрньясаашсәиерлкәсыылшкматуиялгислуцирмигкиемдезаикдишлрд",
        "tg": "ардаонбатиҳаваинтаоддоаднараромоорбодианамуқоисомикиҳомааинишаатояақудавазрдасмуилластҳуқуидозндякри"
        "ираҳқизоуннсияошлиалсиятииддомимсаобкаядкоумҳивологаномеолаъоҳосзисуурхуабқаахотафбизафиисиҳбедуибъл",
        "sr": "рапрнаваавстковоноимниоводтимаакпоандалајеоссвојверелиобнероенедњештлозавиањкариаритјаогслилтвдномдр"
        "бомејудецињаијчлтетаихајтудиемивбивнмобеичрутоорсуењезатикацотудадекизсеонскицсаертрујупврснжаопучеђ",
        "be": "наавравапрабныннарацаданпаалманеасчалаодамкатарывебоцьагкостльняцыдагадзінніымаезаоўтыьнсвенулднццжн"
        "роайвысаекыхякаклечыыялімікуыкожкіўнтогозецавіаўсцжартбыыцахаютвволядуіхціэтынсптубаэнатўллюягклрэер",
        "uz": "лаариндагалианниуқирилиштиигбивакимариатқиситаонҳудиқунгамҳаадсоикшираалидасодқаолмоўлнсимиймугиибун"
        "бобўмиқлашнлкаурклбалгўзроддбуркэгэрайоракнатлаззиёкумияошсаақлоосллрлчааъэтятзаабфаеррншамлқорчдоха",
    },
    "Greek": {
        "el": "τοουαιτηστικτακαναποανηςείτιίαροιαερμεριμαρααςοςηνατνοοναπειωναρίνούιοτεντπόμοκόετλοισκοδικήολσεασνι"
        "πασηοικεπρρίαλένορλιομτρλλίοώνελενλεληημπεόςήςρελακάινγιοπσιμέμιακνεαγεπνηυντωεςυςσυράότογιςτάέρσμγε",
    },
    "Arabic": {
        "ar": "اليةفيلممنانواريليلامايناتياديباارنيراولامهابيلألعلتنايرعالىعلميونسيورلكرةبرادكالداسابويلسهولبلللويل"
        "ومأوربلقسايوتيلحدامريمهيمويدقارومعلفمدائستحدايتاملبلحانولهلجعداعتونتنةلةبنمسوبلنترلشلإعرعباءمتبعوسرك",
        "fa": "ارانستاياسدرياينسيراميماهادهشدتاازريرکبرباالکشکهرهامشفداندبهروورشمادساوانيوديکنهنايرردجاليدياهويآننو"
        "لابيهرزامعنجدنتريلمريسابتبعررفدوکيرسکاتهونوسشتشهزياتاوتوموولگريدطببقفتبوشوگاتيهزصداشهمومربفريهنگپاشا",
        "ur": "يںانميکےياورکيہےالاراسکااورياتسےتاامليہوماايرالاواجانيکوہييکنےباائديادناوںکہيہکرداتيسيينستتھئيھيپرسا"
        "رواببييرہاجوعلدوندرتبھوننودرھازيملاقيواہيلرہمرگرمواکسليمنگبرپاوملوہرتےرکنہبنکسلموتتعشائےيسيدولقاجسشہ",
        "ug": "لىىننىىلىشئاكىتىەرقاقىانەمئىارلەەتمەۇقدادەھەۋەادىكىڭدىرىىيەنغاقۇسىىدلۇولمابوشىوقلاھوئەۇشىقىمشقالگەيا"
        "ايىرتەبىنلندراىغىتاقكەاسرقىگۇنبااشەلقلمىەھمۇۆلدۇدۆددۇرسائۆرلركممەكلغشكاكەشبەتليىناۆزۋاائشۇۇلىپىسزىاۋ",
        "ps": "اوپهادولانويچېحقونريرهنهدهارديواماتووکنويالويوايقوړيڅوهرهغکوشيرالهسرميورکښلاټويتښېغهکړاملرنيندداوماس"
        "ازملروسامهزاوقيدالمندوهياتليپرخهغوڅختهسيترينپلشرموګهبالناببرخپدېشودغاععلقاکيستخلکاعيبشرنتيقييروستاوو",
        "pnb": "تےدادیانیادےوںاںاےحقاونووہئیناایالساقوادکرارنیوچامہرجاخصورہنشخائریوقنہحااصہدکسسےیتصلکوزاونفعتایںرنمل"
        "تیعہنسہیویعاوالیتواپمنیہدفنےپنیسئےہولاآزوئمیراکھلورواسندعلہہرےمعلکھاسکقااقرککاکیابکدمادوبرپئاتسمکےسی",
        "skr": "تےیادیاںدےکووںداانحقارندالادیتلاونکیقواتیںہرسیاووچریہیہےایساورنہنااصملینخصصلشخہوھیامحاوقازائزاوانستا"
        "نودففععہمیرائیویجیکرتیجوئےکہیسنیعلوڻلکہامامنکاپڻکنلیتھکھابآپاہیوڄئاقاسلوہکدہڻےرےجھافبچخلقاسموسجانڄتع",
    },
    "Hebrew": {
        "he": "ותיםיתניריליורבישליורוולמואוייהינוהמיההוונואברמידיאילובוינובפרומירשיאלוןקומשדועלראבאיקפויאילשוטיפייד"
        "נהלהשנוסודסיופויתותיבמהאיששרארעיחוקיסווועוועכומריןטוקרהשלאבעמאאנחירתמהיבימדרוקאתרבמתהרגויטרהוגציושאש",
        "yi": "ערוןדעאורעעכיקאיעןדייטגעלעאױמעכטונטינטעניענענגציניהאזײױףעלקלטערטװאעדקערארײװעזאנאכעבאײטנדמיריטןליצוין"
        "װיטאזיינקטישלאזעטליושטיזקײעזײנבןטשעטהײבעגללטרורןקוורעסדאירעמותשאלײשעלןגרקןולרביאעקסעגיױסעםומיללולקשן",
    },
}

HAN = (
    "一是人了不在有大中国和为这上他个地年来我会以到时要出的生学说道民家子也成行下们于后就发自之对得主长可过天作分方用多你着部"
    "能市等业全里工公经本都而高政法面门动日进区事代那去心小同北定开产前其军还然起种所如现理机体表力好外与文当两实重新三么只山"
    "水关明从化平建又制南内西没此将员名手最东头者月间无安看见各城十相但已些正口通想度加第她合院物性战由位常点海意场武使次二向"
    "治因立数样身情入原问把路被并利石老教万知级量任江及应省资委务元美特期世湖回系比气汉总展电科金先声提品设或义王社很统处四首"
    "共马形己儿司太目基领队直计别女权话少流命至报米给打变果书清活几州华解议更称程今决张导术府才保交放管结师便走达族反再题色五"
    "京河接条规式县白它改风光运信受什组听布百济党指论强做取技黄神选记斯真却职号界件花类何眼兵传带空干农边据集联古广完质阳难增"
    "历史专官每住商即步认车台林必死游举线言皇土团收考求德叫近备研争非具李众连调感转笑國爲這個來會時學說們於後發對長過業裏經門"
    "動進區開產軍還種現機體與當兩實麼關從內沒將員東頭間無見戰點場數樣問並萬級應資務氣漢總電聲設義統處馬兒領隊計別權話報給變書"
    "幾華議稱決張導術結師達題條規縣風運組聽濟黨論強黃選記卻職號類傳帶幹農邊據聯廣質陽難歷專認車臺遊舉線團備爭衆連調轉"
)
