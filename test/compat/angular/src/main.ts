// A call by openvidu-angular, as its documentation shows it: tokens in, a videoconference out. The tokens come in the
// URL's fragment, as JSON: {"webcam": …, "screen": …}.
import { Component, NgModule } from '@angular/core';
import { BrowserModule, platformBrowser } from '@angular/platform-browser';
import { BrowserAnimationsModule } from '@angular/platform-browser/animations';
import { OpenViduAngularModule, TokenModel } from 'openvidu-angular';

@Component({
  selector: 'call-page',
  template: '<ov-videoconference [tokens]="tokens" [prejoin]="false" [participantName]="name"></ov-videoconference>',
})
class CallPage {
  tokens: TokenModel = JSON.parse(decodeURIComponent(location.hash.slice(1)));
  name = new URLSearchParams(location.search).get('name') ?? 'nobody';
}

@NgModule({
  declarations: [CallPage],
  imports: [BrowserModule, BrowserAnimationsModule, OpenViduAngularModule.forRoot({ production: true })],
  bootstrap: [CallPage],
})
class CallModule {}

platformBrowser().bootstrapModule(CallModule).catch((e) => console.error(e));
